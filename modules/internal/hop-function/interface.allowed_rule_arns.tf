# Generated from modules/internal/interfaces/allowed_rule_arns.tf by scripts/module_interfaces.py: edit that.

variable "allowed_rule_arns" {
  description = "EventBridge rules that may send to the queue and, as their target's dead-letter queue, to its DLQ, with `*` for several. They may be unknown until apply."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = !var.fifo || length(var.allowed_rule_arns) == 0
    error_message = "A FIFO queue can't be the dead-letter queue of a rule's target: let rules send to a standard queue."
  }

  validation {
    condition     = var.existing_queue == null || length(var.allowed_rule_arns) == 0
    error_message = "An existing queue's policy is its owner's: allowed_rule_arns is for a queue that the module makes."
  }
}
