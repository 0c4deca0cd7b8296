"""All benchmarks, one after the other."""

from benchmarks import cold_start, load, session, telemetry, turn, wer
from benchmarks.figures import command

if __name__ == "__main__":
    command(cold_start.benchmark, telemetry.benchmark, turn.benchmark, session.benchmark, load.benchmark, wer.benchmark)
