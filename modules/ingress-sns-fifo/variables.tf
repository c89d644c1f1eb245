variable "name" {
  description = "Name of the topic, the queue, the function, its role and, with `-idempotency`, the table. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}

################################################################################
# Topic
################################################################################

variable "fifo" {
  description = "Whether topic and queues are FIFO: a FIFO topic delivers to a FIFO queue, a standard topic to a standard queue."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = !var.fifo || (var.queue.batch_size <= 10 && var.queue.batch_window_seconds == 0)
    error_message = "A FIFO queue takes a queue.batch_size of 1 to 10 and no queue.batch_window_seconds."
  }

  validation {
    condition     = var.fifo || !(var.queue.content_based_deduplication || var.queue.high_throughput)
    error_message = "queue.content_based_deduplication and queue.high_throughput are for FIFO queues: leave fifo = true, or leave them out."
  }
}

variable "existing_topic" {
  description = "A topic (`arn`) that exists already, the partner's own as a rule, in place of one that the module makes. In the provider's region; it may be another account's."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_topic == null ? true : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\\.fifo)?$", var.existing_topic.arn))
    error_message = "existing_topic.arn must be the ARN of a topic: arn:aws:sns:<region>:<account>:<name>."
  }

  validation {
    condition     = var.existing_topic == null ? true : endswith(var.existing_topic.arn, ".fifo") == var.fifo
    error_message = "FIFO goes with FIFO and standard with standard: fifo must be true if the topic's name ends with .fifo, else false."
  }

  validation {
    condition     = var.existing_topic == null || length(var.senders) == 0
    error_message = "An existing topic's policy is its owner's: senders is for a topic that the module makes. Let the owner name who may send."
  }
}

variable "topic_content_based_deduplication" {
  description = "Whether SNS makes the deduplication id of messages that come without one from their bodies. FIFO topics of the module's own only."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.topic_content_based_deduplication || (var.fifo && var.existing_topic == null)
    error_message = "topic_content_based_deduplication is for a FIFO topic that the module makes."
  }
}

variable "topic_archive_days" {
  description = "Days that the topic keeps messages for replays, 1 to 365; null keeps none. 0 ends the archive and deletes its messages: SNS does not delete a topic that still keeps messages. FIFO topics of the module's own only."
  type        = number
  default     = null

  validation {
    condition     = var.topic_archive_days == null ? true : var.topic_archive_days >= 0 && var.topic_archive_days <= 365 && floor(var.topic_archive_days) == var.topic_archive_days
    error_message = "topic_archive_days must be a whole number from 0 to 365."
  }

  validation {
    condition     = var.topic_archive_days == null || (var.fifo && var.existing_topic == null)
    error_message = "Only FIFO topics keep messages, and an existing topic's archive is its owner's: topic_archive_days is for a FIFO topic that the module makes."
  }
}

################################################################################
# Subscription
################################################################################

variable "raw_message_delivery" {
  description = "Whether the queue gets the message as it is, with its attributes, or wrapped by SNS as JSON. Wrapped messages may have more than ten attributes; the function unwraps them."
  type        = bool
  default     = true
  nullable    = false
}

variable "filter_policy" {
  description = "Which of the topic's messages to take, as JSON text: an SNS filter policy. Null takes all."
  type        = string
  default     = null

  validation {
    condition     = var.filter_policy == null ? true : try(length(keys(jsondecode(var.filter_policy))) > 0, false)
    error_message = "filter_policy must be the JSON text of an object that is not empty: jsonencode({ kind = [\"asset\"] })."
  }
}

variable "filter_policy_scope" {
  description = "Part of a message that the filter policy matches: `MessageAttributes` or `MessageBody`."
  type        = string
  default     = "MessageAttributes"
  nullable    = false

  validation {
    condition     = contains(["MessageAttributes", "MessageBody"], var.filter_policy_scope)
    error_message = "filter_policy_scope must be MessageAttributes or MessageBody."
  }
}

variable "replay" {
  description = <<-EOT
    Delivers the messages of a FIFO topic's archive again; the idempotency store drops events that are on the bus already. Setting it starts
    the replay, null ends it.
      from  = time of the first message, RFC 3339 in UTC
      until = time of the last one; null goes on to the present, and then on with new messages
  EOT
  type = object({
    from  = string
    until = optional(string)
  })
  default = null

  validation {
    condition     = var.replay == null || var.fifo
    error_message = "Only FIFO topics have an archive to replay from."
  }

  validation {
    condition     = var.replay == null ? true : alltrue([for time in compact([var.replay.from, var.replay.until]) : can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$", time)) && can(timecmp(time, time))])
    error_message = "replay takes times as 2026-11-23T10:00:00Z."
  }

  validation {
    condition     = var.replay == null ? true : try(var.replay.until == null || timecmp(var.replay.from, var.replay.until) < 0, true)
    error_message = "replay.from must be before replay.until."
  }
}
