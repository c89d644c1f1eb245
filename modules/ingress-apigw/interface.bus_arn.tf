# Generated from modules/internal/interfaces/bus_arn.tf by scripts/module_interfaces.py: edit that.

variable "bus_arn" {
  description = "ARN of the bus that accepted events are put on."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.bus_arn))
    error_message = "bus_arn must be the ARN of an event bus: arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}
