variable "name" {
  description = "Name of the queue, the function, its role and, with `-idempotency`, the table. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}

variable "ingress" {
  description = "The ingress, as events name it: `sqs`, `sns-fifo`, `partner-bus` or `custom-bus`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["sqs", "sns-fifo", "partner-bus", "custom-bus"], var.ingress)
    error_message = "ingress must be sqs, sns-fifo, partner-bus or custom-bus."
  }
}

variable "partners" {
  description = <<-EOT
    Partners whose messages come, by name: one partner for `sqs` and `sns-fifo`, whose messages don't name their partner.
      specification = the content of a specification file, as JSON text; `jsonencode({ preset = "mux" })` alone is one. Null, for
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
    error_message = "partners is empty: no event would be accepted."
  }

  validation {
    condition     = length(var.partners) <= 1 || endswith(var.ingress, "-bus")
    error_message = "A queue's messages don't say whose they are: name one partner, and use the module once for each."
  }

  validation {
    condition     = alltrue([for partner in keys(var.partners) : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", partner))])
    error_message = "A partner's name must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.specification == null ? var.ingress == "custom-bus" : can(keys(jsondecode(partner.specification)))])
    error_message = "Every specification must be the JSON text of an object: jsonencode({ preset = \"mux\" }). Only a partner on the custom bus can do without, by speaking the envelope."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : endswith(var.ingress, "-bus") ? length(coalesce(partner.sources, [])) > 0 : partner.sources == null])
    error_message = "Partners on a bus need sources; a queue's messages have none."
  }

  validation {
    condition     = alltrue(flatten([for partner in values(var.partners) : [for source in coalesce(partner.sources, []) : can(regex("^[^*]+\\*?$", source))]]))
    error_message = "sources are exact, or the beginning of some followed by one *: example.studio, example.studio.*."
  }

  validation {
    condition = var.ingress != "custom-bus" || alltrue(flatten([for partner in values(var.partners) : [
      for source in coalesce(partner.sources, []) : !startswith(source, "partner.") && !(endswith(source, "*") && startswith("partner.", trimsuffix(source, "*")))
    ]]))
    error_message = "These modules publish under sources that begin with partner. themselves: events would go round in a loop."
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
