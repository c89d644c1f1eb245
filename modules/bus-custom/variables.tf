variable "name" {
  description = "Name of the bus."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,256}$", var.name)) && var.name != "default" && !startswith(var.name, "aws.")
    error_message = "name must have 1 to 256 letters, digits, dots, hyphens or underscores; `default` is the account's own bus and `aws.` begins a partner's: use bus-partner for those."
  }
}

variable "description" {
  description = "What the bus is for, as the console shows it."
  type        = string
  default     = null

  validation {
    condition     = var.description == null ? true : length(var.description) <= 512
    error_message = "description may have 512 characters."
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
    error_message = "archive.pattern must be the JSON text of a pattern that is not empty: jsonencode({ source = [\"partner.mux\"] })."
  }

  validation {
    condition     = var.archive == null || length(var.name) <= 48
    error_message = "An archive is named like its bus, and archives take 48 characters at most: shorten name."
  }
}

################################################################################
# Producers
################################################################################

variable "producers" {
  description = <<-EOT
    Who else may put events on the bus, each held to its own sources. The key becomes the statement's Sid. Callers of the
    bus's own account need no entry here: their roles' policies decide.
      sources         = the `source` values that it may use; exact text
      account_ids     = accounts, all of whose roles with the permission may put events
      role_arns       = roles, which is narrower
      organization_id = an AWS organisation: alone, all its accounts; with account_ids or role_arns, a further condition
  EOT
  type = map(object({
    sources         = list(string)
    account_ids     = optional(list(string), [])
    role_arns       = optional(list(string), [])
    organization_id = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for sid in keys(var.producers) : can(regex("^[A-Za-z0-9_-]{1,64}$", sid))])
    error_message = "The keys of producers must have 1 to 64 letters, digits, hyphens or underscores."
  }

  validation {
    condition     = alltrue([for producer in values(var.producers) : length(producer.account_ids) + length(producer.role_arns) > 0 || producer.organization_id != null])
    error_message = "Every producer needs account_ids, role_arns or organization_id."
  }

  validation {
    condition     = alltrue([for producer in values(var.producers) : length(producer.sources) > 0])
    error_message = "Every producer needs sources: without them it could speak for any other."
  }

  validation {
    condition     = alltrue(flatten([for producer in values(var.producers) : [for source in producer.sources : !startswith(source, "aws.") && !strcontains(source, "*") && !strcontains(source, "?") && source != ""]]))
    error_message = "sources are exact, without wildcards, and don't begin with aws., which AWS keeps for its own services."
  }

  validation {
    condition     = alltrue(flatten([for producer in values(var.producers) : [for source in producer.sources : !startswith(source, "partner.")]]))
    error_message = "Sources that begin with partner. are what the kit itself publishes, and rules believe: a producer takes a source of its own, such as example.studio, and comes in by raw_producers."
  }

  validation {
    condition     = alltrue(flatten([for producer in values(var.producers) : [for account in producer.account_ids : can(regex("^[0-9]{12}$", account))]]))
    error_message = "account_ids have 12 digits; write them as text, or leading zeros get lost."
  }

  validation {
    condition     = alltrue(flatten([for producer in values(var.producers) : [for arn in producer.role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", arn))]]))
    error_message = "role_arns must be ARNs of roles: arn:aws:iam::<account>:role/<name>."
  }

  validation {
    condition     = alltrue([for producer in values(var.producers) : producer.organization_id == null ? true : can(regex("^o-[a-z0-9]{10,32}$", producer.organization_id))])
    error_message = "organization_id looks like o-a1b2c3d4e5."
  }
}

variable "raw_producers" {
  description = <<-EOT
    Producers whose events on this bus are taken into the envelope, by the name that they then have (`partner.<name>`). Who may
    put these events is for `producers` to say, or for the policies of roles of the bus's own account.
      sources       = the `source` values of their events; exact, or the beginning of some followed by `*`
      specification = what a specification file holds, as JSON text. Null: the producer speaks the envelope; its events are validated
      pattern       = which of the events to take, as an EventBridge pattern in JSON text, without `source`; null takes all
  EOT
  type = map(object({
    sources       = list(string)
    specification = optional(string)
    pattern       = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.raw_producers) == 0 || can(regex("^[A-Za-z0-9_-]{1,48}$", var.name))
    error_message = "With raw_producers the name is also a function's, a role's and a queue's: 1 to 48 letters, digits, hyphens or underscores."
  }
}

variable "aws_services" {
  description = <<-EOT
    AWS services whose events are taken from the account's default bus into the envelope, by the name that they then have.
      sources       = the services' sources, such as `aws.mediaconvert`
      specification = what a specification file holds, as JSON text; `jsonencode({ preset = "mediaconvert" })` alone is one
      pattern       = which of the events to take, as an EventBridge pattern in JSON text, without `source`; null takes all
  EOT
  type = map(object({
    sources       = list(string)
    specification = string
    pattern       = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.aws_services) == 0 || can(regex("^[A-Za-z0-9_-]{1,48}$", var.name))
    error_message = "With aws_services the name is also a function's, a role's and a queue's: 1 to 48 letters, digits, hyphens or underscores."
  }

  validation {
    condition     = alltrue(flatten([for service in values(var.aws_services) : [for source in service.sources : startswith(source, "aws.") && !startswith(source, "aws.partner")]]))
    error_message = "AWS services' sources begin with aws. (aws.mediaconvert, aws.s3); partners' events come by bus-partner."
  }

  validation {
    condition     = length(setintersection(keys(var.aws_services), keys(var.raw_producers))) == 0
    error_message = "An AWS service and a producer can't share a name, which is their events' source: ${join(", ", setintersection(keys(var.aws_services), keys(var.raw_producers)))}."
  }
}

variable "ingress" {
  description = <<-EOT
    The functions that take events into the envelope: one for `raw_producers`, one for `aws_services`.
      timeout_seconds, memory_mb = of each function
      batch_size, batch_window_seconds, maximum_concurrency = how many messages it takes at a time
      max_receive_count = how often a message may be received before it goes to the dead-letter queue
      retry           = how long a message that failed for the time being waits: `base_seconds` to `max_seconds`
      rule_retry      = how long (`max_age_seconds`) and how often (`max_attempts`) EventBridge tries to send an event to the queue
      max_entry_bytes = larger events go to the bucket, and the bus gets a pointer
      log_level       = the least severe level that is logged
  EOT
  type = object({
    timeout_seconds      = optional(number, 30)
    memory_mb            = optional(number, 256)
    batch_size           = optional(number, 10)
    batch_window_seconds = optional(number, 0)
    maximum_concurrency  = optional(number)
    max_receive_count    = optional(number, 5)
    retry = optional(object({
      base_seconds = optional(number, 5)
      max_seconds  = optional(number, 900)
    }), {})
    rule_retry = optional(object({
      max_age_seconds = optional(number, 86400)
      max_attempts    = optional(number, 185)
    }), {})
    max_entry_bytes = optional(number, 240000)
    log_level       = optional(string, "INFO")
  })
  default  = {}
  nullable = false
}

################################################################################
# Common
################################################################################

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
  description = "Customer managed key for the events on the bus and everything else that the module encrypts. Its policy must let EventBridge use it. Null uses keys that AWS owns."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:…:key/…), not an alias."
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
