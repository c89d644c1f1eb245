# Generated from modules/internal/interfaces/failure.tf by scripts/module_interfaces.py: edit that.

variable "failure" {
  description = <<-EOT
    How events that fail are treated, from the first retry to the dead-letter queue and back.
      max_receive_count              = how often a message may be received from a queue. On the last receive the function sends it to the
                                       dead-letter queue with the reason; SQS does so after a crash, where the queue is the module's own
      retry                          = how long a message that failed for the time being waits before it is received again: exponentially
                                       from `base_seconds` to `max_seconds`, with jitter
      redrive                        = how `dlq-review` redrives dead letters that may pass: how often (`max_count`), how soon
                                       (`base_delay_seconds`, doubling up to `max_delay_seconds`), up to which age of the event
                                       (`max_age_seconds`), and how many in a second (`max_per_second`)
      dlq_visibility_timeout_seconds = how long a message received from the dead-letter queue is hidden: six times the timeout of the function
                                       that reads it (60 seconds in `dlq-review`)
      dlq_age_alarm_seconds          = age of the oldest dead letter at which an alarm goes off: above the time that redrives take
  EOT
  type = object({
    max_receive_count = optional(number, 5)
    retry = optional(object({
      base_seconds = optional(number, 5)
      max_seconds  = optional(number, 900)
    }), {})
    redrive = optional(object({
      max_count          = optional(number, 3)
      base_delay_seconds = optional(number, 60)
      max_delay_seconds  = optional(number, 3600)
      max_age_seconds    = optional(number, 172800)
      max_per_second     = optional(number, 5)
    }), {})
    dlq_visibility_timeout_seconds = optional(number, 360)
    dlq_age_alarm_seconds          = optional(number, 14400)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.failure.max_receive_count >= 1 && var.failure.max_receive_count <= 1000 && floor(var.failure.max_receive_count) == var.failure.max_receive_count
    error_message = "failure.max_receive_count must be a whole number from 1 to 1000."
  }

  validation {
    condition     = var.failure.retry.base_seconds >= 1 && var.failure.retry.base_seconds <= var.failure.retry.max_seconds && var.failure.retry.max_seconds <= 43200
    error_message = "failure.retry needs 1 <= base_seconds <= max_seconds <= 43200 (SQS hides a message for twelve hours at most)."
  }

  validation {
    condition     = var.failure.retry.max_seconds <= 1166400 / var.failure.max_receive_count
    error_message = "failure.max_receive_count x failure.retry.max_seconds must not be above 1166400: SQS deletes a message after 14 days, also one that is still being tried."
  }

  validation {
    condition = (
      var.failure.redrive.max_count >= 0 && var.failure.redrive.max_count <= 100 && floor(var.failure.redrive.max_count) == var.failure.redrive.max_count
      && var.failure.redrive.base_delay_seconds >= 0 && var.failure.redrive.max_delay_seconds >= var.failure.redrive.base_delay_seconds && var.failure.redrive.max_delay_seconds <= 39600
      && var.failure.redrive.max_age_seconds >= 0 && var.failure.redrive.max_age_seconds <= 1166400
      && var.failure.redrive.max_per_second > 0 && var.failure.redrive.max_per_second <= 10000
    )
    error_message = "failure.redrive: max_count must be a whole number from 0 to 100, max_delay_seconds from base_delay_seconds (0 or more) to 39600 (a message can be held invisible for 12 hours in all), max_age_seconds from 0 to 1166400 (13.5 of the 14 days that a queue keeps a message), max_per_second above 0 and up to 10000."
  }

  validation {
    condition     = var.failure.dlq_visibility_timeout_seconds >= 0 && var.failure.dlq_visibility_timeout_seconds <= 43200
    error_message = "failure.dlq_visibility_timeout_seconds must be 0 to 43200."
  }

  validation {
    condition     = var.failure.dlq_age_alarm_seconds >= 1
    error_message = "failure.dlq_age_alarm_seconds must be 1 or more."
  }
}
