variable "name" {
  description = "Name of the queue, the function and its role. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}

variable "hop" {
  description = "The hop that the consumer is, as failures name it: `<step>/<name>`, e.g. `route/cms`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(ingress|transform|route|review)/[A-Za-z0-9][A-Za-z0-9_.-]*$", var.hop))
    error_message = "hop must be ingress/<name>, transform/<name>, route/<name> or review/<name>."
  }
}

variable "description" {
  description = "What the function does, as the console shows it."
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

  validation {
    condition     = var.existing_queue == null ? true : can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\\.fifo)?$", var.existing_queue.arn))
    error_message = "existing_queue.arn must be the ARN of a queue: arn:aws:sqs:<region>:<account>:<name>."
  }

  validation {
    condition     = var.existing_queue == null ? true : can(regex("^https?://", var.existing_queue.url)) && endswith(var.existing_queue.url, "/${element(split(":", var.existing_queue.arn), 5)}")
    error_message = "existing_queue.url must be the URL of the same queue as existing_queue.arn: it ends with /<name of the queue>."
  }

  validation {
    condition     = var.existing_queue == null ? true : endswith(var.existing_queue.arn, ".fifo") == var.fifo
    error_message = "fifo must be what the existing queue is: true if its name ends with .fifo, else false."
  }
}

variable "content_based_deduplication" {
  description = "Whether SQS makes the deduplication id of messages that come without one from their bodies. FIFO queues of the module's own only."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.content_based_deduplication || (var.fifo && var.existing_queue == null)
    error_message = "content_based_deduplication is for a FIFO queue that the module makes: set fifo = true, or leave it out."
  }
}

variable "high_throughput" {
  description = "Whether the FIFO queue counts its quota, and looks for duplicates, per message group instead of for the whole queue. FIFO queues of the module's own only."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.high_throughput || (var.fifo && var.existing_queue == null)
    error_message = "high_throughput is for a FIFO queue that the module makes: set fifo = true, or leave it out."
  }
}

variable "max_receive_count" {
  description = "How often a message may be received. On the last receive the consumer itself sends it to the dead-letter queue, with the reason; SQS does so after a crash, where the queue is the module's own."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "max_receive_count must be a whole number from 1 to 1000."
  }
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

variable "allowed_rule_arns" {
  description = "EventBridge rules that may send to the queue and, as their target's dead-letter queue, to its DLQ. They may be unknown until apply."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = !var.fifo || length(var.allowed_rule_arns) == 0
    error_message = "A FIFO queue can't be the dead-letter queue of a rule's target: let rules send to a standard queue."
  }

  validation {
    condition     = var.existing_queue == null || length(var.allowed_rule_arns) == 0
    error_message = "An existing queue's policy is its owner's: allowed_rule_arns is for a queue that the module makes."
  }
}

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

  validation {
    condition     = alltrue([for sid in keys(var.allowed_senders) : can(regex("^[A-Za-z0-9_-]{1,64}$", sid))])
    error_message = "The keys of allowed_senders must have 1 to 64 letters, digits, hyphens or underscores."
  }

  validation {
    condition     = alltrue([for sender in values(var.allowed_senders) : length(sender.account_ids) + length(sender.role_arns) > 0 || sender.organization_id != null])
    error_message = "Every sender needs account_ids, role_arns or organization_id: anybody in the world could send otherwise."
  }

  validation {
    condition     = alltrue(flatten([for sender in values(var.allowed_senders) : [for account in sender.account_ids : can(regex("^[0-9]{12}$", account))]]))
    error_message = "account_ids have 12 digits; write them as text, or leading zeros get lost."
  }

  validation {
    condition     = alltrue(flatten([for sender in values(var.allowed_senders) : [for arn in sender.role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", arn))]]))
    error_message = "role_arns must be ARNs of roles: arn:aws:iam::<account>:role/<name>."
  }

  validation {
    condition     = alltrue([for sender in values(var.allowed_senders) : sender.organization_id == null ? true : can(regex("^o-[a-z0-9]{10,32}$", sender.organization_id))])
    error_message = "organization_id looks like o-a1b2c3d4e5."
  }

  validation {
    condition     = var.existing_queue == null || length(var.allowed_senders) == 0
    error_message = "An existing queue's policy is its owner's: allowed_senders is for a queue that the module makes."
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

variable "bucket" {
  description = "Bucket for the configuration: `{ name, arn }`. Null makes one."
  type = object({
    name = string
    arn  = string
  })
  default = null
}

variable "policy_statements" {
  description = "What the function may do besides consuming its queue and writing to its dead-letter queue. See `lambda-function`."
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

variable "batch_size" {
  description = "Most messages per invocation: up to 10, or up to 10000 for a standard queue with a batch window."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10000 && (var.batch_size <= 10 || (!var.fifo && var.batch_window_seconds >= 1))
    error_message = "batch_size must be 1 to 10; above 10 (to 10000) the queue must be standard and batch_window_seconds at least 1."
  }
}

variable "batch_window_seconds" {
  description = "Seconds that Lambda waits for a batch to fill. Standard queues only."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.batch_window_seconds >= 0 && var.batch_window_seconds <= 300 && (!var.fifo || var.batch_window_seconds == 0)
    error_message = "batch_window_seconds must be 0 to 300, and 0 for a FIFO queue."
  }
}

variable "maximum_concurrency" {
  description = "Most invocations at a time, which protects what is behind the function. Null is no limit but the account's."
  type        = number
  default     = null

  validation {
    condition     = var.maximum_concurrency == null ? true : var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "maximum_concurrency must be 2 to 1000 (Lambda's limits), or null."
  }
}

variable "enabled" {
  description = "Whether the function consumes the queue. Messages wait while it does not."
  type        = bool
  default     = true
  nullable    = false
}

################################################################################
# Alarms
################################################################################

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
