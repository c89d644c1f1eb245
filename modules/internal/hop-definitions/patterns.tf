# The patterns of the rules: the user's, plus the stage, plus the condition that keeps a redriven event for the hop that failed,
# plus the source: only the kit puts events of `partner.*` on the bus, whatever else a sender writes into an event of its own.

locals {
  user_patterns = { for key, hop in local.hops : key => try(merge(jsondecode(hop.pattern)), {}) }

  kit_source = { source = [{ prefix = "partner." }] }

  # Where one alternative names a source, the condition belongs into the others: a field can't be named twice on one way through. The
  # alternatives of alternatives are looked at too, no deeper; media_events_kit/event_patterns/rule_pattern.py does the same, and a test compares them.
  alternatives = { for key, pattern in local.user_patterns : key => try([for alternative in pattern["$or"] : alternative], []) }
  alternatives_name_source = { for key, alternatives in local.alternatives : key => [
    for alternative in alternatives : can(alternative.source) || anytrue([for inner in try(alternative["$or"], []) : can(inner.source)])
  ] }
  source_conditions = { for key, pattern in local.user_patterns : key => merge(
    { for field, value in local.kit_source : field => value if !can(pattern.source) && !anytrue(local.alternatives_name_source[key]) },
    { for field, value in { "$or" = [for index, alternative in local.alternatives[key] : merge(
      alternative,
      { for field, value in local.kit_source : field => value if !local.alternatives_name_source[key][index] },
      { for field, value in { "$or" = [for inner in try(alternative["$or"], []) : merge(local.kit_source, inner)] } :
      field => value if local.alternatives_name_source[key][index] && !can(alternative.source) },
    )] } : field => value if !can(pattern.source) && anytrue(local.alternatives_name_source[key]) },
  ) }

  names_source = { for key, pattern in local.user_patterns : key => can(pattern.source) }

  patterns = { for key, pattern in local.user_patterns : key => jsonencode(merge(pattern, local.source_conditions[key], {
    detail = merge(try(merge(pattern.detail), {}), {
      metadata = merge(
        try(merge(pattern.detail.metadata), {}),
        # The stage goes without saying for what is redriven, and may be another one by default than it was.
        { for field, value in { stage = [local.hops[key].stage] } : field => value if !var.retired },
        { redrive = { route = concat([for value in [{ exists = false }] : value if !var.retired], [local.hops[key].hop]) } },
      )
    })
  })) }

  # AWS counts the characters themselves: jsonencode escapes <, > and &, and the provider writes them out again
  # (ruleEventPatternJSONDecoder in internal/service/events of hashicorp/terraform-provider-aws).
  pattern_lengths = { for key, pattern in local.patterns : key =>
    length(replace(replace(replace(pattern, "\\u003c", "<"), "\\u003e", ">"), "\\u0026", "&"))
  }

  # The objects at the top, at detail and at detail.metadata, with those of their alternatives.
  tops = { for key, pattern in local.user_patterns : key => concat(
    [pattern],
    local.alternatives[key],
    flatten([for alternative in local.alternatives[key] : [for inner in try(alternative["$or"], []) : inner]]),
  ) }
  details   = { for key, tops in local.tops : key => flatten([for top in tops : [for each in concat([try(top.detail, {})], try(top.detail["$or"], [])) : each if can(keys(each))]]) }
  metadatas = { for key, details in local.details : key => flatten([for detail in details : [for each in concat([try(detail.metadata, {})], try(detail.metadata["$or"], [])) : each if can(keys(each))]]) }

  # A dot within a name equals a dot between names.
  metadata_fields = { for key in keys(local.user_patterns) : key => concat(
    flatten([for metadata in local.metadatas[key] : keys(metadata)]),
    flatten([for detail in local.details[key] : [for field in keys(detail) : trimprefix(field, "metadata.") if startswith(field, "metadata.")]]),
    flatten([for top in local.tops[key] : [for field in keys(top) : trimprefix(field, "detail.metadata.") if startswith(field, "detail.metadata.")]]),
    flatten([for top in local.tops[key] : [for field in try(keys(top["detail.metadata"]), []) : field]]),
  ) }

  reserved_paths = { for key, fields in local.metadata_fields : key => [
    for attribute in ["stage", "redrive"] : "detail.metadata.${attribute}" if anytrue([for field in fields : field == attribute || startswith(field, "${attribute}.")])
  ] }

  unknown_fields = { for key, tops in local.tops : key => setsubtract(
    toset(flatten([for top in tops : [for field in keys(top) : split(".", field)[0]]])),
    ["$or", "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"],
  ) }

  # Events have an object there, never a value.
  values_of_objects = { for key, pattern in local.user_patterns : key => concat(
    [for field, value in pattern : field if contains(["detail", "detail.metadata"], field) && can(value[*]) && !can(keys(value))],
    can(pattern.detail.metadata) && !can(keys(pattern.detail.metadata)) ? ["detail.metadata"] : [],
  ) }

  # Sources in alternatives that no condition of the module would reach.
  deep_sources = { for key, alternatives in local.alternatives : key => anytrue(flatten([
    for alternative in alternatives : [for inner in try(alternative["$or"], []) : [for deep in try(inner["$or"], []) : can(deep.source) || anytrue([for deeper in try(deep["$or"], []) : can(deeper.source)])]]
  ])) }

  # A field's value is a list of values, or an object of further fields. Jsondecode makes tuples and objects of them.
  bare_values = { for key, pattern in local.user_patterns : key => concat(
    [for field, value in pattern : field if !can(tolist([for each in value : "each"])) || (split(".", field)[0] != "detail" && can(keys(value)))],
    [for field in try(keys(pattern.detail), []) : "detail.${field}" if !can([for each in pattern.detail[field] : "each"])],
    [for field in try(keys(pattern.detail.metadata), []) : "detail.metadata.${field}" if !can([for each in pattern.detail.metadata[field] : "each"])],
    [for field in try(keys(pattern.detail.data), []) : "detail.data.${field}" if !can([for each in pattern.detail.data[field] : "each"])],
  ) }
}
