"""The function app: one blueprint a resource."""

import azure.functions as func

from voice_core.functions import conversations, health, openapi, turns, voices

app = func.FunctionApp()

for resource in (turns, conversations, voices, health, openapi):
    app.register_functions(resource.blueprint)
