# Generated from modules/internal/interfaces/handler.tf by scripts/module_interfaces.py: edit that.

variable "handler" {
  description = "Module and function that Lambda calls, e.g. `media_events.handlers.webhook.handler`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)+$", var.handler))
    error_message = "handler must be a dotted Python path such as media_events.handlers.webhook.handler."
  }
}
