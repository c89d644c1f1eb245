# Generated from modules/internal/interfaces/description.tf by scripts/module_interfaces.py: edit that.

variable "description" {
  description = "Purpose of the function, as the console shows it."
  type        = string
  default     = ""
  nullable    = false
}
