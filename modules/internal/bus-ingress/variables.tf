variable "name" {
  description = "Name of the queue, the function, its role and, with `-idempotency`, the table; the rules are called `<name>-<partner>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,62}$", var.name))
    error_message = "name must have 1 to 62 letters, digits, hyphens or underscores."
  }
}

variable "source_bus_arn" {
  description = "ARN of the bus that the events come from, in the provider's account and region: a custom bus, a partner's (`aws.partner/…`), or `default`, where AWS services put theirs. May be the bus of `bus_arn`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.source_bus_arn))
    error_message = "source_bus_arn must be the ARN of an event bus: arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

variable "ingress" {
  description = "The ingress, as events name it: `partner-bus` or `custom-bus`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["partner-bus", "custom-bus"], var.ingress)
    error_message = "ingress must be partner-bus or custom-bus."
  }
}

################################################################################
# Partners
################################################################################

variable "partners" {
  description = <<-EOT
    Partners whose events come from the bus, by name. Each has a rule of its own.
      name          = the partner's name, where it is unknown when planned and something else must be the key
      sources       = the `source` values of the partner's events; exact, or the beginning of some followed by `*`
      specification = the content of a specification file, as JSON text; `jsonencode({ preset = "mediaconvert" })` alone is one. Null, not
                      on a partner's bus: the events are in the envelope already, and are validated
      pattern       = further conditions, as an EventBridge pattern in JSON text, without `source`; null takes all of the sources' events
  EOT
  type = map(object({
    name          = optional(string)
    sources       = list(string)
    specification = optional(string)
    pattern       = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(var.partners) > 0
    error_message = "partners is empty: no event would be accepted."
  }

  validation {
    condition     = alltrue([for key, partner in var.partners : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", coalesce(partner.name, key)))])
    error_message = "A partner's name must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }

  validation {
    condition     = alltrue([for key, partner in var.partners : length("${var.name}-${coalesce(partner.name, key)}") <= 64])
    error_message = "Too long: \"<name>-<partner>\" names a rule and may have 64 characters. Shorten name, or ${join(", ", [for key, partner in var.partners : key if length("${var.name}-${coalesce(partner.name, key)}") > 64])}."
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
    error_message = "These modules publish under sources that begin with partner. themselves: events would go round in a loop."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.specification == null ? var.ingress == "custom-bus" : can(keys(jsondecode(partner.specification)))])
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
      for field in try(keys(jsondecode(partner.pattern)), []) : contains(["$or", "version", "id", "detail-type", "account", "time", "region", "resources", "detail", "replay-name"], split(".", field)[0])
    ]]))
    error_message = "pattern has a field that no event has: an event has version, id, detail-type, source, account, time, region, resources and detail."
  }
}

variable "watch_rules" {
  description = "Whether each rule has an alarm: false where `bus-custom` made the source bus, which watches all rules of it."
  type        = bool
  default     = true
  nullable    = false
}
