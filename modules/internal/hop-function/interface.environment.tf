# Generated from modules/internal/interfaces/environment.tf by scripts/module_interfaces.py: edit that.

variable "environment" {
  description = "Environment variables besides those that the module, and the modules in it, set. Never put a secret here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for variable in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", variable)) && !startswith(variable, "AWS_") && !startswith(variable, "LAMBDA_")])
    error_message = "Environment variables begin with a letter, have letters, digits and underscores, and not the prefixes AWS_ and LAMBDA_, which Lambda reserves."
  }
}
