variable "name" {
  description = "Name of the queue, the function, its role and, with `-idempotency`, the table. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}

variable "bus_arn" {
  description = "ARN of the bus that accepted events are put on."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.bus_arn))
    error_message = "bus_arn must be the ARN of an event bus: arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

variable "partner" {
  description = "Partner that the messages are from. Its events' source is `partner.<partner>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", var.partner))
    error_message = "partner must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }
}

variable "specification" {
  description = "How the partner's messages are read: the content of a specification file, as JSON text; `jsonencode({ preset = \"mux\" })` alone is one."
  type        = string
  nullable    = false

  validation {
    condition     = can(keys(jsondecode(var.specification)))
    error_message = "specification must be the JSON text of an object: jsonencode({ preset = \"mux\" })."
  }
}

################################################################################
# Queue
################################################################################

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

################################################################################
# Consumer
################################################################################

variable "max_entry_bytes" {
  description = "Larger events go to the bucket, and the bus gets a pointer. EventBridge takes entries of 256 KB wherever it runs; leave some headroom."
  type        = number
  default     = 240000
  nullable    = false

  validation {
    condition     = var.max_entry_bytes >= 1024 && var.max_entry_bytes <= 1000000 && floor(var.max_entry_bytes) == var.max_entry_bytes
    error_message = "max_entry_bytes must be a whole number from 1024 to 1000000."
  }
}

################################################################################
# Failures
################################################################################

variable "idempotency_table" {
  description = "Idempotency store to share (`name`, `arn`), one of another module's `idempotency_tables`, so that an event that comes by both ways is published once. Null makes one."
  type = object({
    name = string
    arn  = string
  })
  default = null
}
