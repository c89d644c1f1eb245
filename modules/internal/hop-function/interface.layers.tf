# Generated from modules/internal/interfaces/layers.tf by scripts/module_interfaces.py: edit that.

variable "layers" {
  description = "ARNs of layers, versions included."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5 && alltrue([for layer in var.layers : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", layer))])
    error_message = "layers must be up to 5 ARNs of layers with their versions, arn:aws:lambda:<region>:<account>:layer:<name>:<version>."
  }
}
