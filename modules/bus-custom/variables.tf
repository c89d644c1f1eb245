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

################################################################################
# Common
################################################################################

variable "alarm_actions" {
  description = "ARNs that every alarm notifies when it goes off and when it recovers, an SNS topic's for instance."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "kms_key_arn" {
  description = "Customer managed key for the events on the bus. Its policy must let EventBridge use it. Null uses a key that AWS owns."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:…:key/…), not an alias."
  }
}

variable "tags" {
  description = "Tags for every resource that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}
