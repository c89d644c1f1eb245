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
  description = "Purpose of the bus, as the console shows it."
  type        = string
  default     = null

  validation {
    condition     = var.description == null ? true : length(var.description) <= 512
    error_message = "description may have 512 characters."
  }
}

variable "existing_bus" {
  description = "A bus (`arn`) of this account and region in place of one that the module makes, the account's `default` one too. Its policy, key and dead-letter queue stay its owner's."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_bus == null ? true : can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]+$", var.existing_bus.arn))
    error_message = "existing_bus.arn must be the ARN of an event bus: arn:aws:events:<region>:<account>:event-bus/<name>."
  }

  validation {
    condition     = var.existing_bus == null || length(var.senders) == 0
    error_message = "An existing bus's policy is its owner's: senders is for a bus that the module makes. Let the owner name who may put events."
  }
}

################################################################################
# Senders and partners
################################################################################

variable "senders" {
  description = <<-EOT
    Further senders on the bus, each held to its own sources, by the Sid of the policy's statement. Roles of the
    module's own account need no entry: their own policies decide.
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
    condition     = alltrue([for sid in keys(var.senders) : can(regex("^[A-Za-z0-9_-]{1,64}$", sid))])
    error_message = "The keys of senders must have 1 to 64 letters, digits, hyphens or underscores."
  }

  validation {
    condition     = alltrue([for sender in values(var.senders) : length(sender.account_ids) + length(sender.role_arns) > 0 || sender.organization_id != null])
    error_message = "Every sender needs account_ids, role_arns or organization_id."
  }

  validation {
    condition     = alltrue([for sender in values(var.senders) : length(sender.sources) > 0])
    error_message = "Every sender needs sources: without them it could speak for any other."
  }

  validation {
    condition     = alltrue(flatten([for sender in values(var.senders) : [for source in sender.sources : !startswith(source, "aws.") && !strcontains(source, "*") && !strcontains(source, "?") && source != ""]]))
    error_message = "sources are exact, without wildcards, and don't begin with aws., which AWS keeps for its own services."
  }

  validation {
    condition     = alltrue(flatten([for sender in values(var.senders) : [for source in sender.sources : !startswith(source, "partner.")]]))
    error_message = "Only these modules publish under sources that begin with partner., and rules trust them: a sender takes a source of its own, such as example.studio, and its events come in by partners."
  }

  validation {
    condition     = alltrue(flatten([for sender in values(var.senders) : [for account in sender.account_ids : can(regex("^[0-9]{12}$", account))]]))
    error_message = "account_ids have 12 digits; write them as text, or leading zeros get lost."
  }

  validation {
    condition     = alltrue(flatten([for sender in values(var.senders) : [for arn in sender.role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", arn))]]))
    error_message = "role_arns must be ARNs of roles: arn:aws:iam::<account>:role/<name>."
  }

  validation {
    condition     = alltrue([for sender in values(var.senders) : sender.organization_id == null ? true : can(regex("^o-[a-z0-9]{10,32}$", sender.organization_id))])
    error_message = "organization_id looks like o-a1b2c3d4e5."
  }
}

variable "partners" {
  description = <<-EOT
    Partners whose events on this bus are taken into the envelope, by the name that they then have (`partner.<name>`). `senders`,
    or the policies of roles of the bus's own account, allow them to put these events.
      sources       = the `source` values of their events; exact, or the beginning of some followed by `*`
      specification = the content of a specification file, as JSON text. Null: the partner speaks the envelope; its events are validated
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
    condition     = length(var.partners) == 0 || can(regex("^[A-Za-z0-9_-]{1,48}$", var.name))
    error_message = "With partners the name is also a function's, a role's and a queue's: 1 to 48 letters, digits, hyphens or underscores."
  }
}

variable "aws_services" {
  description = <<-EOT
    AWS services whose events are taken from the account's default bus into the envelope, by the name that they then have.
      sources       = the services' sources, such as `aws.mediaconvert`
      specification = the content of a specification file, as JSON text; `jsonencode({ preset = "mediaconvert" })` alone is one
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
    condition     = length(setintersection(keys(var.aws_services), keys(var.partners))) == 0
    error_message = "An AWS service and a partner can't share a name, which is their events' source: ${join(", ", setintersection(keys(var.aws_services), keys(var.partners)))}."
  }
}

variable "existing_dlqs" {
  description = <<-EOT
    Dead-letter queues in place of those that the module makes, one for the ingress of `partners` and one for that of `aws_services`, each for
    nothing else: `dlq-review` reads it. Its settings stay its owner's: 14 days of retention, a visibility timeout of six times that of its
    reader (60 seconds in `dlq-review`), and the policy, which needs the statements of the output `existing_dlq_policies`.
      arn     = of the queue, a standard queue in the provider's region
      url     = of the queue
      kms_key = customer managed key (`arn`) that the queue is encrypted with, other than `settings.kms_key`
  EOT
  type = object({
    partners = optional(object({
      arn     = string
      url     = string
      kms_key = optional(object({ arn = string }))
    }))
    services = optional(object({
      arn     = string
      url     = string
      kms_key = optional(object({ arn = string }))
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for queue in values(var.existing_dlqs) : queue == null ? true : can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", queue.arn)) && can(regex("^https?://", queue.url)) && endswith(queue.url, "/${element(split(":", queue.arn), 5)}")])
    error_message = "existing_dlqs have the ARN of a standard queue, arn:aws:sqs:<region>:<account>:<name>, and the URL of the same queue, which ends with /<name>."
  }
}
