"""Telemetry with OpenTelemetry: spans, metrics and events, for any collector."""
