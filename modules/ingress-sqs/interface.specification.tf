# Generated from modules/internal/interfaces/specification.tf by scripts/module_interfaces.py: edit that.

variable "specification" {
  description = "How the partner's messages are read: the content of a specification file, as JSON text; `jsonencode({ preset = \"mux\" })` alone is one."
  type        = string
  nullable    = false

  validation {
    condition     = can(keys(jsondecode(var.specification)))
    error_message = "specification must be the JSON text of an object: jsonencode({ preset = \"mux\" })."
  }
}
