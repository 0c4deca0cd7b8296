"""What is seen, as OpenTelemetry has it: spans, metrics and events, for whoever collects them."""
