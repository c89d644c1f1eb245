"""Shared by all packages: envelope, failures, configuration, settings, telemetry, time."""
