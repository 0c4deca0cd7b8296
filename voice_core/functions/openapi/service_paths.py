"""Paths of voices and health in the contract."""

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
                "Check the service's health",
                None,
                json_of(schemas.HealthAnswer),
                (400,),
                parameters(schemas.HealthQuery, "query"),
                also={"503": {"description": "A dependency is unavailable", "content": json_of(schemas.HealthAnswer)}},
                public=True,
            )
        },
    }
