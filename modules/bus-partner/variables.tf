variable "name" {
  description = "Short name of everything but the bus: the queue, the function, its role, the archive; the rule is called `<name>-<partner>`, or `<name>` without `transform`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,62}$", var.name))
    error_message = "name must have 1 to 62 letters, digits, hyphens or underscores."
  }
}

################################################################################
# Bus
################################################################################

variable "event_source_name" {
  description = "Name of the partner event source, which is the bus's name too: `aws.partner/<partner>/<namespace>/<name>`, as the partner gives it or `aws events list-event-sources` shows it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^aws\\.partner(/[.A-Za-z0-9_-]+){2,}$", var.event_source_name)) && length(var.event_source_name) <= 256
    error_message = "event_source_name must look like aws.partner/<partner>/<namespace>/<name>: at least two parts after aws.partner, 256 characters in all. It is the partner that creates the source: take its name from `aws events list-event-sources`."
  }
}

variable "existing_bus_arn" {
  description = "ARN of the source's bus, if there is one already: a source can be associated only once. Null associates the source with a bus, which must be done within days of the partner's creating it."
  type        = string
  default     = null

  validation {
    condition     = var.existing_bus_arn == null ? true : can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.existing_bus_arn)) && endswith(var.existing_bus_arn, ":event-bus/${var.event_source_name}")
    error_message = "existing_bus_arn must be the ARN of the source's own bus, which has its name: arn:aws:events:<region>:<account>:event-bus/<event_source_name>."
  }
}

variable "archive" {
  description = <<-EOT
    Keeps events, so that they can be replayed. Null keeps none.
      retention_days = days that events are kept; 0 is for ever
      pattern        = EventBridge pattern of the events to keep, as JSON text; null keeps all
  EOT
  type = object({
    retention_days = optional(number, 14)
    pattern        = optional(string)
  })
  default = null

  validation {
    condition     = var.archive == null ? true : var.archive.retention_days >= 0 && floor(var.archive.retention_days) == var.archive.retention_days
    error_message = "archive.retention_days must be a whole number of days, or 0 for ever."
  }

  validation {
    condition     = try(var.archive.pattern, null) == null ? true : try(length(keys(jsondecode(var.archive.pattern))) > 0, false)
    error_message = "archive.pattern must be the JSON text of a pattern that is not empty: jsonencode({ detail-type = [\"Asset Ready\"] })."
  }

  validation {
    condition     = var.archive == null || length(var.name) <= 48
    error_message = "An archive is called by name, and archives take 48 characters at most: shorten name."
  }
}

variable "silence_alarm_minutes" {
  description = "An alarm goes off when no event has come for so long: the only sign of a source that the partner has deleted. Null makes none. 5 to 1440 in steps of 5, or up to 10080 (a week) in steps of 60."
  type        = number
  default     = null

  validation {
    condition     = var.silence_alarm_minutes == null ? true : (var.silence_alarm_minutes >= 5 && var.silence_alarm_minutes <= 1440 && var.silence_alarm_minutes % 5 == 0) || (var.silence_alarm_minutes > 1440 && var.silence_alarm_minutes <= 10080 && var.silence_alarm_minutes % 60 == 0)
    error_message = "silence_alarm_minutes must be 5 to 1440 in steps of 5, or up to 10080 in steps of 60: CloudWatch looks back no further."
  }
}

################################################################################
# Events
################################################################################

variable "bus_arn" {
  description = "ARN of the bus that the events are for."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.bus_arn))
    error_message = "bus_arn must be the ARN of an event bus: arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

variable "transform" {
  description = "Whether a function takes the events into the envelope. False sends them straight to the bus, as they are and under their own source: for rules of your own, not for `router`."
  type        = bool
  default     = true
  nullable    = false
}

variable "partner" {
  description = "Whose events they are. With `transform`, their source becomes `partner.<partner>`."
  type        = string
  default     = null

  validation {
    condition     = var.partner == null ? true : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", var.partner))
    error_message = "partner must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }

  validation {
    condition     = (var.partner != null) == var.transform
    error_message = "transform needs partner; events that are sent straight keep their own source, and have none."
  }
}

variable "specification" {
  description = "How the partner's events are read: what a specification file holds, as JSON text. With `transform` only."
  type        = string
  default     = null

  validation {
    condition     = var.specification == null ? true : can(keys(jsondecode(var.specification)))
    error_message = "specification must be the JSON text of an object: jsonencode({ id = \"body.id\", type = \"envelope.\\\"detail-type\\\"\" })."
  }

  validation {
    condition     = (var.specification != null) == var.transform
    error_message = "transform needs specification; events that are sent straight are not read."
  }
}

variable "sources" {
  description = "The `source` values of the partner's events; exact, or the beginning of some followed by `*`. Null is the name of the event source, which is what partners use."
  type        = list(string)
  default     = null

  validation {
    condition     = var.sources == null ? true : length(var.sources) > 0 && alltrue([for source in var.sources : can(regex("^[^*]+\\*?$", source))])
    error_message = "sources are exact, or the beginning of some followed by one *."
  }
}

variable "pattern" {
  description = "Which of the partner's events to take, as an EventBridge pattern in JSON text without `source`; null takes all."
  type        = string
  default     = null

  validation {
    condition     = var.pattern == null ? true : try(length(keys(jsondecode(var.pattern))) > 0, false) && !can(jsondecode(var.pattern).source)
    error_message = "pattern must be the JSON text of a pattern that is not empty, without source: jsonencode({ detail-type = [\"Asset Ready\"] })."
  }
}

################################################################################
# Consumer
################################################################################

variable "batch_size" {
  description = "Most messages per invocation: up to 10, or up to 10000 with a batch window."
  type        = number
  default     = 10
  nullable    = false
}

variable "batch_window_seconds" {
  description = "Seconds that Lambda waits for a batch to fill."
  type        = number
  default     = 0
  nullable    = false
}

variable "maximum_concurrency" {
  description = "Most invocations at a time, which protects what is behind the function. Null is no limit but the account's."
  type        = number
  default     = null
}

variable "enabled" {
  description = "Whether the function consumes the queue. Messages wait while it does not."
  type        = bool
  default     = true
  nullable    = false
}

variable "memory_mb" {
  description = "Memory in MB; CPU grows with it."
  type        = number
  default     = 256
  nullable    = false
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends an invocation."
  type        = number
  default     = 30
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}

variable "architecture" {
  description = "`arm64` or `x86_64`."
  type        = string
  default     = "arm64"
  nullable    = false
}

variable "log_level" {
  description = "The least severe level that is logged."
  type        = string
  default     = "INFO"
  nullable    = false
}

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

variable "rule_retry" {
  description = "How long and how often EventBridge tries to send an event on, before it goes to the dead-letter queue."
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

variable "max_receive_count" {
  description = "How often a message may be received. On the last receive the consumer itself sends it to the dead-letter queue, with the reason; SQS does so after a crash, where the queue is the module's own."
  type        = number
  default     = 5
  nullable    = false
}

variable "retry" {
  description = "How long a message that failed for the time being waits before it is received again: exponentially from `base_seconds` to `max_seconds`, with jitter."
  type = object({
    base_seconds = optional(number, 5)
    max_seconds  = optional(number, 900)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.retry.base_seconds >= 1 && var.retry.base_seconds <= var.retry.max_seconds && var.retry.max_seconds <= 43200
    error_message = "retry needs 1 <= base_seconds <= max_seconds <= 43200 (SQS hides a message for twelve hours at most)."
  }
}

variable "visibility_timeout_seconds" {
  description = "How long a received message is hidden. Null is six times the function's timeout plus the batch window, which AWS advises and which is the least."
  type        = number
  default     = null

  validation {
    condition     = var.visibility_timeout_seconds == null ? true : var.visibility_timeout_seconds >= 6 * var.timeout_seconds + var.batch_window_seconds && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds must be at least 6 x timeout_seconds + batch_window_seconds, or messages are processed twice, and at most 43200."
  }
}

variable "dlq_visibility_timeout_seconds" {
  description = "How long a message received from the dead-letter queue is hidden: six times the timeout of the function that reads it (60 seconds in `dlq-review`)."
  type        = number
  default     = 360
  nullable    = false

  validation {
    condition     = var.dlq_visibility_timeout_seconds >= 0 && var.dlq_visibility_timeout_seconds <= 43200
    error_message = "dlq_visibility_timeout_seconds must be between 0 and 43200."
  }
}

variable "redrive" {
  description = "How `dlq-review` treats the dead letters: how often and how long apart it tries again, and for how long at most. Null leaves it to `dlq-review`."
  type = object({
    max_count          = optional(number, 3)
    base_delay_seconds = optional(number, 60)
    max_delay_seconds  = optional(number, 3600)
    max_age_seconds    = optional(number, 86400)
    max_per_second     = optional(number, 5)
  })
  default = null
}

variable "ledger_table" {
  description = "Replay ledger to share: `{ name, arn }`, as the outputs of another ingress module have it, so that an event that comes by both ways is published once. Null makes one."
  type = object({
    name = string
    arn  = string
  })
  default = null
}

variable "bucket" {
  description = "Bucket for the configuration and for bodies too large for the bus: `{ name, arn }`. Null makes one."
  type = object({
    name = string
    arn  = string
  })
  default = null
}

variable "alarm_thresholds" {
  description = <<-EOT
    When the queues' alarms go off.
      queue_age_seconds = age of the oldest message in the queue
      dlq_age_seconds   = age of the oldest message in the dead-letter queue: above the time that automatic re-drives take
  EOT
  type = object({
    queue_age_seconds = optional(number, 3600)
    dlq_age_seconds   = optional(number, 14400)
  })
  default  = {}
  nullable = false
}

################################################################################
# Common
################################################################################

variable "lambda_package" {
  description = <<-EOT
    Where the function's code is; exactly one form. Null takes `lambda_src/dist/media_events.zip` of this repository,
    which a git source brings along.
      filename          = a zip on the machine that runs Terraform, or
      s3_bucket, s3_key, s3_object_version = a zip in S3
      source_code_hash  = base64 SHA-256 of the zip; read from `filename` when left out, needed to notice a new zip in S3
  EOT
  type = object({
    filename          = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
    source_code_hash  = optional(string)
  })
  default = null

  validation {
    condition = var.lambda_package == null ? true : (
      (var.lambda_package.filename != null) != (var.lambda_package.s3_bucket != null)
      && (var.lambda_package.s3_bucket != null) == (var.lambda_package.s3_key != null)
      && (var.lambda_package.s3_object_version == null || var.lambda_package.s3_bucket != null)
    )
    error_message = "lambda_package takes either filename, or s3_bucket with s3_key (and s3_object_version if you like): exactly one of the two."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the logs, in days."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch knows these numbers of days only: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "alarm_actions" {
  description = "ARNs that every alarm notifies when it goes off and when it recovers, an SNS topic's for instance."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "kms_key_arn" {
  description = "Customer managed key for everything that the module encrypts. Null uses AWS-owned keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:…:key/…). An alias won't do, and the AWS-managed aws/sqs key can't be used by EventBridge."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of every role that the module creates."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for every resource that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}
