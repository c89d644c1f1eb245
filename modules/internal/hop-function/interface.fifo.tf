# Generated from modules/internal/interfaces/fifo.tf by scripts/module_interfaces.py: edit that.

variable "fifo" {
  description = "Whether the queue, the module's own or the existing one, is FIFO. Its dead-letter queue is of the same kind."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.fifo || (var.queue.batch_size <= 10 && var.queue.batch_window_seconds == 0)
    error_message = "A FIFO queue takes a queue.batch_size of 1 to 10 and no queue.batch_window_seconds."
  }

  validation {
    condition     = var.fifo || !(var.queue.content_based_deduplication || var.queue.high_throughput)
    error_message = "queue.content_based_deduplication and queue.high_throughput are for FIFO queues: set fifo = true, or leave them out."
  }
}
