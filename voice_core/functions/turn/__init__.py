"""/process, /transcribe, /speak and a reply's speech."""
