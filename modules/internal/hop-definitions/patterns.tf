# The patterns of the rules: the user's, plus the stage, plus the condition that keeps a redriven event for the hop that failed,
# plus the source: only the kit puts events of `partner.*` on the bus, whatever else a sender writes into an event of its own.

locals {
  user_patterns = { for key, hop in local.hops : key => try(merge(jsondecode(hop.pattern)), {}) }

  kit_source = { source = [{ prefix = "partner." }] }

  # Where one alternative names a source, the condition belongs into the others: a field can't be named twice on one way through.
  alternatives_name_source = { for key, pattern in local.user_patterns : key =>
    anytrue([for alternative in try(pattern["$or"], []) : can(alternative.source)])
  }
  source_conditions = { for key, pattern in local.user_patterns : key => merge(
    { for field, value in local.kit_source : field => value if !can(pattern.source) && !local.alternatives_name_source[key] },
    { for field, value in { "$or" = [for alternative in try(pattern["$or"], []) : merge(local.kit_source, alternative)] } :
    field => value if !can(pattern.source) && local.alternatives_name_source[key] },
  ) }

  patterns = { for key, hop in local.hops : key => jsonencode(merge(local.user_patterns[key], local.source_conditions[key], {
    detail = merge(try(local.user_patterns[key].detail, {}), {
      metadata = merge(try(local.user_patterns[key].detail.metadata, {}), {
        stage   = [hop.stage]
        redrive = { route = [{ exists = false }, hop.hop] }
      })
    })
  })) }

  # Everything that a pattern says of detail.metadata, also in alternatives, as JSON text.
  metadata_patterns = { for key, pattern in local.user_patterns : key => jsonencode(concat(
    [try(pattern.detail.metadata, {})],
    [for alternative in try(pattern.detail["$or"], []) : try(alternative.metadata, {})],
    [for alternative in try(pattern["$or"], []) : try(alternative.detail.metadata, {})],
  )) }

  reserved_paths = { for key, text in local.metadata_patterns : key => [
    for attribute in ["stage", "redrive"] : "detail.metadata.${attribute}" if strcontains(text, "\"${attribute}\":")
  ] }

  unknown_fields = { for key, pattern in local.user_patterns : key => setsubtract(keys(pattern), [
    "$or", "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
  ]) }

  # A field's value is a list of values, or an object of further fields. Jsondecode makes tuples and objects of them.
  bare_values = { for key, pattern in local.user_patterns : key => concat(
    [for field, value in pattern : field if !can(tolist([for each in value : "each"])) || (field != "detail" && can(keys(value)))],
    [for field, value in try(pattern.detail, {}) : "detail.${field}" if !can([for each in value : "each"])],
    [for field, value in try(pattern.detail.metadata, {}) : "detail.metadata.${field}" if !can([for each in value : "each"])],
    [for field, value in try(pattern.detail.data, {}) : "detail.data.${field}" if !can([for each in value : "each"])],
  ) }
}
