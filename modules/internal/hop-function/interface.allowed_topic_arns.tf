# Generated from modules/internal/interfaces/allowed_topic_arns.tf by scripts/module_interfaces.py: edit that.

variable "allowed_topic_arns" {
  description = "SNS topics that may send to the queue and, as their subscription's dead-letter queue, to its DLQ: FIFO topics to a FIFO queue, standard ones to a standard one. They may be unknown until apply."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.allowed_topic_arns : endswith(arn, ".fifo") == var.fifo])
    error_message = "FIFO goes with FIFO and standard with standard: allowed_topic_arns must all end with .fifo if fifo is true, and none if it is not."
  }

  validation {
    condition     = var.existing_queue == null || length(var.allowed_topic_arns) == 0
    error_message = "An existing queue's policy is its owner's: allowed_topic_arns is for a queue that the module makes."
  }
}
