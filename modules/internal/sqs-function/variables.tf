variable "name" {
  description = "Name of the queue, the function and its role. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}

variable "description" {
  description = "Purpose of the function, as the console shows it."
  type        = string
  default     = ""
  nullable    = false
}

################################################################################
# Queue
################################################################################

variable "fifo" {
  description = "Whether the queue and its dead-letter queue are FIFO."
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

################################################################################
# Consumer
################################################################################

variable "handler" {
  description = "Module and function that Lambda calls, e.g. `media_events.handlers.deliver.handler`."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Environment variables besides those that the module sets: `HOP`, `QUEUE_URL`, `DEAD_LETTER_QUEUE_URL`, `MAX_RECEIVE_COUNT`, `RETRY_BASE_SECONDS`, `RETRY_MAX_SECONDS`, and those of `lambda-function`."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "configuration" {
  description = "The function's configuration, as JSON text."
  type        = string
  default     = null
}

variable "policy_statements" {
  description = "Permissions of the function, besides those on its queue and its dead-letter queue. See `lambda-function`."
  type = map(object({
    actions   = list(string)
    resources = list(string)
    conditions = optional(list(object({
      test     = string
      variable = string
      values   = list(string)
    })), [])
  }))
  default  = {}
  nullable = false
}

variable "layers" {
  description = "ARNs of layers for the function, versions included."
  type        = list(string)
  default     = []
  nullable    = false
}
