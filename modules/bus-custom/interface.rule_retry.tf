# Generated from modules/internal/interfaces/rule_retry.tf by scripts/module_interfaces.py: edit that.

variable "rule_retry" {
  description = "How long (`max_age_seconds`) and how often (`max_attempts`) EventBridge tries to send an event on, before it goes to the dead-letter queue."
  type = object({
    max_age_seconds = optional(number, 86400)
    max_attempts    = optional(number, 185)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.rule_retry.max_age_seconds >= 60 && var.rule_retry.max_age_seconds <= 86400 && var.rule_retry.max_attempts >= 0 && var.rule_retry.max_attempts <= 185
    error_message = "rule_retry: max_age_seconds must be 60 to 86400, max_attempts 0 to 185 (EventBridge's limits)."
  }
}
