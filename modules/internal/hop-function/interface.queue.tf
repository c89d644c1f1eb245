# Generated from modules/internal/interfaces/queue.tf by scripts/module_interfaces.py: edit that.

variable "queue" {
  description = <<-EOT
    The queue, and how the function consumes it.
      enabled                     = whether the function consumes the queue; messages wait while it does not
      batch_size                  = most messages per invocation: up to 10, or up to 10000 for a standard queue with a batch window
      batch_window_seconds        = how long Lambda waits for a batch to fill; standard queues only
      maximum_concurrency         = most invocations at a time (2 to 1000): protects what is behind the function, and leaves the
                                    account's concurrency to other functions, such as webhooks
      visibility_timeout_seconds  = how long a received message is hidden; null is the least that AWS advises: six times the function's
                                    timeout plus the batch window
      content_based_deduplication = whether SQS makes the deduplication id of messages without one from their bodies; FIFO only
      high_throughput             = whether quota and duplicates are counted per message group instead of for the whole queue; FIFO only
      age_alarm_seconds           = age of the oldest message at which an alarm goes off
  EOT
  type = object({
    enabled                     = optional(bool, true)
    batch_size                  = optional(number, 10)
    batch_window_seconds        = optional(number, 0)
    maximum_concurrency         = optional(number, 10)
    visibility_timeout_seconds  = optional(number)
    content_based_deduplication = optional(bool, false)
    high_throughput             = optional(bool, false)
    age_alarm_seconds           = optional(number, 3600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.queue.batch_size >= 1 && var.queue.batch_size <= 10000 && (var.queue.batch_size <= 10 || var.queue.batch_window_seconds >= 1)
    error_message = "queue.batch_size must be 1 to 10; above 10 (to 10000) queue.batch_window_seconds must be at least 1."
  }

  validation {
    condition     = var.queue.age_alarm_seconds >= 1
    error_message = "queue.age_alarm_seconds must be 1 or more."
  }

  validation {
    condition     = var.queue.batch_window_seconds >= 0 && var.queue.batch_window_seconds <= 300
    error_message = "queue.batch_window_seconds must be 0 to 300."
  }

  validation {
    condition     = var.queue.maximum_concurrency >= 2 && var.queue.maximum_concurrency <= 1000
    error_message = "queue.maximum_concurrency must be 2 to 1000 (Lambda's limits)."
  }

  validation {
    condition     = var.queue.visibility_timeout_seconds == null ? true : var.queue.visibility_timeout_seconds >= 6 * var.function.timeout_seconds + var.queue.batch_window_seconds && var.queue.visibility_timeout_seconds <= 43200
    error_message = "queue.visibility_timeout_seconds must be at least 6 x function.timeout_seconds + queue.batch_window_seconds, or messages are processed twice, and at most 43200."
  }
}
