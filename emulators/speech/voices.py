"""The voices of this emulator: names of Azure's voices, spoken by the local engines."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice under Azure's name."""

    locale: str
    name: str
    """The last part of the short name, as ``AvaMultilingualNeural``."""
    gender: str

    @property
    def short_name(self) -> str:
        return f"{self.locale}-{self.name}"

    @property
    def display_name(self) -> str:
        return self.name.removesuffix("Neural").replace("Multilingual", " Multilingual")

    def to_json(self, engine: str) -> dict[str, str]:
        """An entry of Azure's list of voices, with the rate of the local engines, and the one that speaks it."""
        return {
            "Name": f"Microsoft Server Speech Text to Speech Voice ({self.locale}, {self.name})",
            "DisplayName": self.display_name,
            "LocalName": f"{self.display_name} ({engine})",
            "ShortName": self.short_name,
            "Gender": self.gender,
            "Locale": self.locale,
            "SampleRateHertz": "24000",
            "VoiceType": "Neural",
            "Status": "GA",
            "WordsPerMinute": "150",
        }


VOICES = (
    Voice("en-US", "AvaMultilingualNeural", "Female"),
    Voice("en-US", "AndrewMultilingualNeural", "Male"),
    Voice("en-US", "AvaNeural", "Female"),
    Voice("en-US", "JennyNeural", "Female"),
    Voice("en-GB", "SoniaNeural", "Female"),
    Voice("en-GB", "RyanNeural", "Male"),
    Voice("de-DE", "KatjaNeural", "Female"),
    Voice("fr-FR", "DeniseNeural", "Female"),
    Voice("es-ES", "ElviraNeural", "Female"),
    Voice("it-IT", "ElsaNeural", "Female"),
    Voice("pt-BR", "FranciscaNeural", "Female"),
)

VOICES_BY_NAME = {voice.short_name: voice for voice in VOICES}
