"""The part of the contract that is about voices and health."""

from voice_core.functions.openapi.operations import Json, json_of, operation, parameters
from voice_core.functions.service import schemas


def service_paths() -> Json:
    return {
        "/voices": {
            "get": operation(
                "List voices",
                None,
                json_of(schemas.VoicesAnswer),
                (400, 502, 503, 504),
                parameters(schemas.VoicesQuery, "query"),
            )
        },
        "/health": {
            "get": operation(
                "Ask whether it works",
                None,
                json_of(schemas.HealthAnswer),
                (400,),
                parameters(schemas.HealthQuery, "query"),
                also={"503": {"description": "A dependency is away", "content": json_of(schemas.HealthAnswer)}},
                public=True,
            )
        },
    }
