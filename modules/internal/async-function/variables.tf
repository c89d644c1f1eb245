variable "name" {
  description = "Name of the function and its role. The dead-letter queue is `<name>-dlq`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores."
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
# Who invokes it, and what becomes of failures
################################################################################

variable "rules" {
  description = "ARNs of the EventBridge rules that may invoke the function and, as their target's dead-letter queue, send to its DLQ, by a name of yours, which becomes part of a statement's id. The names must be known when planned, the ARNs may be unknown until apply."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.rules) > 0
    error_message = "rules is empty: nobody would invoke the function."
  }

  validation {
    condition     = alltrue([for name in keys(var.rules) : can(regex("^[A-Za-z0-9_-]{1,64}$", name))])
    error_message = "The keys of rules must have 1 to 64 letters, digits, hyphens or underscores."
  }

  validation {
    condition     = alltrue([for arn in values(var.rules) : can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:rule/.+$", arn))])
    error_message = "rules must be ARNs of EventBridge rules: arn:aws:events:<region>:<account>:rule/<bus>/<rule>."
  }
}

variable "function_retry" {
  description = "How often Lambda invokes the function again for an event that failed (`max_attempts`, after one and two minutes), and how old an event may become that waits for the function (`max_age_seconds`). After that it goes to the dead-letter queue."
  type = object({
    max_attempts    = optional(number, 2)
    max_age_seconds = optional(number, 21600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([0, 1, 2], var.function_retry.max_attempts) && var.function_retry.max_age_seconds >= 60 && var.function_retry.max_age_seconds <= 21600
    error_message = "function_retry: max_attempts must be 0, 1 or 2, max_age_seconds 60 to 21600 (Lambda's limits)."
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

################################################################################
# Function
################################################################################

variable "handler" {
  description = "Module and function that Lambda calls, e.g. `media_events.handlers.deliver.handler`."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Environment variables besides those that the module sets: `HOP`, `INVOCATION`, `DEAD_LETTER_QUEUE_URL`, and those of `lambda-function`."
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
  description = "What the function may do besides writing to its dead-letter queue. See `lambda-function`."
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

variable "maximum_concurrency" {
  description = "Most invocations at a time, which protects what is behind the function. It is reserved: taken from the account's pool, and Lambda wants 100 to be left there. Null is no limit but the account's."
  type        = number
  default     = null

  validation {
    condition     = var.maximum_concurrency == null ? true : var.maximum_concurrency >= 1 && floor(var.maximum_concurrency) == var.maximum_concurrency
    error_message = "maximum_concurrency must be a whole number of 1 or more, or null."
  }
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

################################################################################
# Alarms
################################################################################

variable "alarm_thresholds" {
  description = <<-EOT
    When the alarms go off.
      event_age_seconds = age of an event that waits for the function
      dlq_age_seconds   = age of the oldest message in the dead-letter queue: above the time that automatic re-drives take
  EOT
  type = object({
    event_age_seconds = optional(number, 3600)
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
