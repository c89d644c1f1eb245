variable "name" {
  description = "Name of the function, its role and its log group. Roles are global to an account: put the region into the name to deploy twice."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores: Lambda and IAM take no more."
  }
}

variable "description" {
  description = "What the function does, as the console shows it."
  type        = string
  default     = ""
  nullable    = false
}

################################################################################
# Function
################################################################################

variable "handler" {
  description = "Module and function that Lambda calls, e.g. `media_events.handlers.webhook.handler`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)+$", var.handler))
    error_message = "handler must be a dotted Python path such as media_events.handlers.webhook.handler."
  }
}

variable "runtime" {
  description = "Lambda runtime. The zip carries bytecode compiled for `python3.13`; others work, with slower cold starts."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.(1[1-9])$", var.runtime))
    error_message = "runtime must be python3.11 or later."
  }
}

variable "architecture" {
  description = "`arm64` or `x86_64`."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "layers" {
  description = "ARNs of layers, versions included."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5 && alltrue([for layer in var.layers : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", layer))])
    error_message = "layers must be up to 5 ARNs of layers with their versions, arn:aws:lambda:<region>:<account>:layer:<name>:<version>."
  }
}

variable "memory_mb" {
  description = "Memory in MB; CPU grows with it."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb must be a whole number from 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends an invocation."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 1 to 900."
  }
}

variable "reserved_concurrency" {
  description = "Instances reserved for, and the most granted to, the function. Null shares the account's pool; 0 stops it."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 0 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "reserved_concurrency must be a whole number of 0 or more, or null."
  }
}

variable "environment" {
  description = "Environment variables besides those that the module sets: `CONFIGURATION_URI`, `CONFIGURATION_SHA256`, `POWERTOOLS_*`. Never put a secret here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for variable in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", variable)) && !startswith(variable, "AWS_") && !startswith(variable, "LAMBDA_")])
    error_message = "Environment variables begin with a letter, have letters, digits and underscores, and not the prefixes AWS_ and LAMBDA_, which Lambda reserves."
  }
}

variable "log_level" {
  description = "The least severe level that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARNING, ERROR or CRITICAL."
  }
}

################################################################################
# Configuration
################################################################################

variable "configuration" {
  description = "The function's configuration, as JSON text. Stored in `bucket` under a key made of its digest, so code and configuration never mix versions."
  type        = string
  default     = null

  validation {
    condition     = var.configuration == null ? true : can(jsondecode(var.configuration))
    error_message = "configuration must be JSON text: jsonencode({...})."
  }
}

variable "bucket" {
  description = "Bucket for the configuration; needed where there is one. The outputs of `storage-bucket` fit: `{ name = module.storage.bucket_name, arn = module.storage.bucket_arn }`."
  type = object({
    name = string
    arn  = string
  })
  default = null

  validation {
    condition     = var.configuration == null || var.bucket != null
    error_message = "configuration needs a bucket to be stored in: bucket = { name = ..., arn = ... }."
  }
}

################################################################################
# Permissions
################################################################################

variable "policy_statements" {
  description = <<-EOT
    What the function may do, besides writing its log and reading its configuration. The key becomes the statement's Sid.
      actions    = full names, e.g. `["sqs:SendMessage"]`; wildcards are refused
      resources  = ARNs; `["*"]` only for actions that know no resource-level permission
      conditions = (optional) list of `{ test, variable, values }`
  EOT
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

  validation {
    condition     = alltrue([for sid in keys(var.policy_statements) : can(regex("^[A-Za-z0-9]+$", sid))])
    error_message = "The keys of policy_statements become Sids: letters and digits only."
  }

  validation {
    condition     = alltrue(flatten([for statement in values(var.policy_statements) : [for action in statement.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", action))]]))
    error_message = "Every action must be named in full (service:Action), without wildcards."
  }

  validation {
    condition     = alltrue([for statement in values(var.policy_statements) : length(statement.actions) > 0 && length(statement.resources) > 0])
    error_message = "Every statement of policy_statements needs at least one action and one resource."
  }
}

################################################################################
# Alarms
################################################################################

variable "alarm_thresholds" {
  description = <<-EOT
    When the function's alarms go off.
      errors           = failed invocations in five minutes
      throttles        = refused invocations in five minutes, twice in a quarter of an hour
      duration_percent = longest invocation, in percent of the timeout
  EOT
  type = object({
    errors           = optional(number, 1)
    throttles        = optional(number, 1)
    duration_percent = optional(number, 90)
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
