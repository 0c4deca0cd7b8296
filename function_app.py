"""The function app: one blueprint a resource."""

import gc

gc.disable()  # Importing makes much and drops little: looking for garbage meanwhile takes an eighth of a cold start.
import azure.functions as func  # noqa: E402

from voice_core.functions import clips, conversations, health, openapi, sessions, turn_speech, turns, voices  # noqa: E402

app = func.FunctionApp()
for resource in (turns, turn_speech, sessions, clips, conversations, voices, health, openapi):
    app.register_functions(resource.blueprint)
gc.freeze()
gc.enable()
