variable "name" {
  description = "Name of the queue, the function, its role and, with `-ledger`, the table; the rules are called `<name>-<partner>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,62}$", var.name))
    error_message = "name must have 1 to 62 letters, digits, hyphens or underscores."
  }
}

variable "bus_name" {
  description = "Name of the bus that the events come from, in the provider's account and region: a custom bus, a partner's (`aws.partner/…`), or `default`, where AWS services put theirs. May be the bus of `bus_arn`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[/.A-Za-z0-9_-]{1,256}$", var.bus_name))
    error_message = "bus_name must be the name of an event bus, not its ARN."
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

################################################################################
# Partners
################################################################################

variable "partners" {
  description = <<-EOT
    Whose events come from the bus, by name. Each has a rule of its own.
      sources       = the `source` values of the partner's events; exact, or the beginning of some followed by `*`
      specification = what a specification file holds, as JSON text; `jsonencode({ preset = "mediaconvert" })` alone is one. Null, not
                      on a partner's bus: the events are in the envelope already, and are validated
      pattern       = further conditions, as an EventBridge pattern in JSON text, without `source`; null takes all of the sources' events
  EOT
  type = map(object({
    sources       = list(string)
    specification = optional(string)
    pattern       = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(var.partners) > 0
    error_message = "partners is empty: a way in that nobody may take serves nobody."
  }

  validation {
    condition     = alltrue([for partner in keys(var.partners) : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", partner))])
    error_message = "A partner's name must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }

  validation {
    condition     = alltrue([for partner in keys(var.partners) : length("${var.name}-${partner}") <= 64])
    error_message = "Too long: \"<name>-<partner>\" names a rule and may have 64 characters. Shorten name, or ${join(", ", [for partner in keys(var.partners) : partner if length("${var.name}-${partner}") > 64])}."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : length(partner.sources) > 0])
    error_message = "Every partner needs sources: events are told apart by them."
  }

  validation {
    condition     = alltrue(flatten([for partner in values(var.partners) : [for source in partner.sources : can(regex("^[^*]+\\*?$", source))]]))
    error_message = "sources are exact, or the beginning of some followed by one *: example.studio, example.studio.*."
  }

  validation {
    condition = alltrue(flatten([for partner in values(var.partners) : [
      for source in partner.sources : !startswith(source, "partner.") && !(endswith(source, "*") && startswith("partner.", trimsuffix(source, "*")))
    ]]))
    error_message = "Sources that begin with partner. are what the kit itself publishes: events would go round in a loop."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.specification == null ? !startswith(var.bus_name, "aws.partner/") : can(keys(jsondecode(partner.specification)))])
    error_message = "Every specification must be the JSON text of an object: jsonencode({ preset = \"mediaconvert\" }). On a partner's bus there must be one."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.pattern == null ? true : try(length(keys(jsondecode(partner.pattern))) > 0, false)])
    error_message = "pattern must be the JSON text of a pattern that is not empty: jsonencode({ detail-type = [\"MediaConvert Job State Change\"] })."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : !can(jsondecode(partner.pattern).source)])
    error_message = "pattern must not name source, which is the module's to set: put it into sources."
  }

  validation {
    condition = alltrue(flatten([for partner in values(var.partners) : [
      for field in try(keys(jsondecode(partner.pattern)), []) : contains(["$or", "version", "id", "detail-type", "account", "time", "region", "resources", "detail"], field)
    ]]))
    error_message = "pattern has a field that no event has: an event has version, id, detail-type, source, account, time, region, resources and detail."
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
  description = "How long and how often EventBridge tries to send an event to the queue, before it goes to the dead-letter queue."
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
