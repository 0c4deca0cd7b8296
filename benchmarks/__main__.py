"""All benchmarks, one after the other."""

from benchmarks import cold_start, hangup, load, session, spoken_sentences, telemetry, turn
from benchmarks.figures import command

if __name__ == "__main__":
    command(
        cold_start.benchmark,
        telemetry.benchmark,
        turn.benchmark,
        hangup.benchmark,
        session.benchmark,
        load.benchmark,
        spoken_sentences.benchmark,
    )
