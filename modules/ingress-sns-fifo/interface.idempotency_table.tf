# Generated from modules/internal/interfaces/idempotency_table.tf by scripts/module_interfaces.py: edit that.

variable "idempotency_table" {
  description = "Idempotency store to share (`name`, `arn`), one of another module's `idempotency_tables`, so that an event that comes by both ways is published once. Null makes one."
  type = object({
    name = string
    arn  = string
  })
  default = null
}
