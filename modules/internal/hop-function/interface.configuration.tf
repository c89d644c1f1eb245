# Generated from modules/internal/interfaces/configuration.tf by scripts/module_interfaces.py: edit that.

variable "configuration" {
  description = "The function's configuration, as JSON text."
  type        = string
  default     = null

  validation {
    condition     = var.configuration == null ? true : can(jsondecode(var.configuration))
    error_message = "configuration must be JSON text: jsonencode({...})."
  }
}
