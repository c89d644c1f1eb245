# Generated from modules/internal/interfaces/description.tf by scripts/module_interfaces.py: edit that.

variable "description" {
  description = "Purpose of the function, as the console shows it."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.description) <= 256
    error_message = "description has ${length(var.description)} characters; Lambda takes 256."
  }
}
