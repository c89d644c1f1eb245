"""The ground floor: envelope, failures, configuration, settings, telemetry."""
