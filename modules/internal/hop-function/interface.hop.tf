# Generated from modules/internal/interfaces/hop.tf by scripts/module_interfaces.py: edit that.

variable "hop" {
  description = "The hop that the consumer is, as failures name it: `<step>/<name>`, e.g. `route/cms`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(ingress|transform|route|review)/[A-Za-z0-9][A-Za-z0-9_.-]*$", var.hop))
    error_message = "hop must be ingress/<name>, transform/<name>, route/<name> or review/<name>."
  }
}
