"""The function app: one blueprint a resource."""

import gc

gc.disable()  # Imports create many objects and free few: garbage collection would take an eighth of a cold start.
import azure.functions as func  # noqa: E402

from voice_core.functions.blueprints import blueprints  # noqa: E402
from voice_core.settings import http_auth_level  # noqa: E402

app = func.FunctionApp(http_auth_level=http_auth_level())
for blueprint in blueprints():
    app.register_functions(blueprint)
gc.freeze()
gc.enable()
