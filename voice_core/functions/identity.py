"""Who is speaking."""

from voice_core.functions.incoming import Incoming


def user_id(_incoming: Incoming) -> str:
    """Whose conversations these are. Until people sign in there is one user."""
    return "local"
