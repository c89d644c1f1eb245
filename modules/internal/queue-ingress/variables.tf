variable "name" {
  description = "Name of the queue, the function, its role and, with `-ledger`, the table. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}

variable "entry" {
  description = "The way in, as events name it: `sqs`, `sns-fifo`, `partner-bus` or `custom-bus`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["sqs", "sns-fifo", "partner-bus", "custom-bus"], var.entry)
    error_message = "entry must be sqs, sns-fifo, partner-bus or custom-bus."
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

variable "partners" {
  description = <<-EOT
    Whose messages come, by name: one partner for `sqs` and `sns-fifo`, whose messages don't say whose they are.
      specification = what a specification file holds, as JSON text; `jsonencode({ preset = "mux" })` alone is one. Null, for
                      `custom-bus`: the partner speaks the envelope
      sources       = for buses: the `source` values of the partner's events; exact, or the beginning of some followed by `*`
  EOT
  type = map(object({
    specification = optional(string)
    sources       = optional(list(string))
  }))
  nullable = false

  validation {
    condition     = length(var.partners) > 0
    error_message = "partners is empty: a way in that nobody may take serves nobody."
  }

  validation {
    condition     = length(var.partners) <= 1 || endswith(var.entry, "-bus")
    error_message = "A queue's messages don't say whose they are: name one partner, and use the module once for each."
  }

  validation {
    condition     = alltrue([for partner in keys(var.partners) : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", partner))])
    error_message = "A partner's name must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.specification == null ? var.entry == "custom-bus" : can(keys(jsondecode(partner.specification)))])
    error_message = "Every specification must be the JSON text of an object: jsonencode({ preset = \"mux\" }). Only a partner on the custom bus can do without, by speaking the envelope."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : endswith(var.entry, "-bus") ? length(coalesce(partner.sources, [])) > 0 : partner.sources == null])
    error_message = "Partners on a bus need sources; a queue's messages have none."
  }

  validation {
    condition     = alltrue(flatten([for partner in values(var.partners) : [for source in coalesce(partner.sources, []) : can(regex("^[^*]+\\*?$", source))]]))
    error_message = "sources are exact, or the beginning of some followed by one *: example.studio, example.studio.*."
  }

  validation {
    condition = var.entry != "custom-bus" || alltrue(flatten([for partner in values(var.partners) : [
      for source in coalesce(partner.sources, []) : !startswith(source, "partner.") && !(endswith(source, "*") && startswith("partner.", trimsuffix(source, "*")))
    ]]))
    error_message = "Sources that begin with partner. are what the kit itself publishes: events would go round in a loop."
  }

  validation {
    condition = alltrue(flatten([for partner, settings in var.partners : [for source in coalesce(settings.sources, []) : [
      for other, others in var.partners : [for another in coalesce(others.sources, []) :
        !(endswith(source, "*") ? startswith(trimsuffix(another, "*"), trimsuffix(source, "*")) : source == another) if partner != other
      ]
    ]]]))
    error_message = "Sources of two partners overlap: an event must belong to one."
  }
}

################################################################################
# Queue
################################################################################

variable "fifo" {
  description = "Whether the queue and its dead-letter queue are FIFO."
  type        = bool
  default     = false
  nullable    = false
}

variable "existing_queue" {
  description = <<-EOT
    Somebody's queue to consume in place of one of the module's own; it may be another account's. Its policy, redrive policy
    and visibility timeout stay its owner's.
      arn         = of the queue, in the provider's region
      url         = of the queue
      kms_key_arn = customer managed key that it is encrypted with, which the function may then use to decrypt
      age_alarm   = whether to watch the age of its messages; false for another account's, whose metrics are not in this one
  EOT
  type = object({
    arn         = string
    url         = string
    kms_key_arn = optional(string)
    age_alarm   = optional(bool, true)
  })
  default = null
}

variable "content_based_deduplication" {
  description = "Whether SQS makes the deduplication id of messages that come without one from their bodies. FIFO queues of the module's own only."
  type        = bool
  default     = false
  nullable    = false
}

variable "high_throughput" {
  description = "Whether the FIFO queue counts its quota, and looks for duplicates, per message group instead of for the whole queue. FIFO queues of the module's own only."
  type        = bool
  default     = false
  nullable    = false
}

variable "allowed_senders" {
  description = <<-EOT
    Who else may send to the queue. The key becomes the statement's Sid. Roles of the queue's own account need no entry here:
    their own policies decide.
      account_ids     = accounts, all of whose roles with the permission may send
      role_arns       = roles, which is narrower
      organization_id = an AWS organisation: alone, all its accounts; with account_ids or role_arns, a further condition
  EOT
  type = map(object({
    account_ids     = optional(list(string), [])
    role_arns       = optional(list(string), [])
    organization_id = optional(string)
  }))
  default  = {}
  nullable = false
}

variable "allowed_topic_arns" {
  description = "SNS topics that may send to the queue and, as their subscription's dead-letter queue, to its DLQ: FIFO topics to a FIFO queue, standard ones to a standard one. They may be unknown until apply."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "allowed_rule_arns" {
  description = "EventBridge rules that may send to the queue and, as their target's dead-letter queue, to its DLQ. They may be unknown until apply."
  type        = list(string)
  default     = []
  nullable    = false
}

################################################################################
# Consumer
################################################################################

variable "batch_size" {
  description = "Most messages per invocation: up to 10, or up to 10000 for a standard queue with a batch window."
  type        = number
  default     = 10
  nullable    = false
}

variable "batch_window_seconds" {
  description = "Seconds that Lambda waits for a batch to fill. Standard queues only."
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
}

variable "visibility_timeout_seconds" {
  description = "How long a received message is hidden. Null is six times the function's timeout plus the batch window, which AWS advises and which is the least."
  type        = number
  default     = null
}

variable "dlq_visibility_timeout_seconds" {
  description = "How long a message received from the dead-letter queue is hidden: six times the timeout of the function that reads it (60 seconds in `dlq-review`)."
  type        = number
  default     = 360
  nullable    = false
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
