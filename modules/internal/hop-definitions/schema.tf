# What the user wrote, compared with limits.json attribute by attribute. The variables have no types, because Terraform drops what a
# type doesn't name without a word.
#
# `can` and `try` don't decide while anything inside their value is unknown. So what is asked of objects here is their keys alone.

locals {
  definitions = jsondecode(file("${path.module}/../limits/limits.json"))["$defs"]

  # Every object's attributes, each with what it refers to and the words for what it must be.
  schemas = { for name, definition in local.definitions : name => {
    required = try(definition.required, [])
    attributes = { for attribute, rule in definition.properties : attribute => merge(
      try(local.definitions[trimprefix(rule["$ref"], "#/$defs/")], {}),
      { for word, value in rule : word => value if word != "$ref" },
      { definition = try(trimprefix(rule["$ref"], "#/$defs/"), attribute) },
    ) }
  } if can(definition.properties) }

  # One entry for each object that the user wrote, by level: the hop, its target, the target's http, its auth, its key.
  objects_0 = merge(
    { for key, value in var.transforms : "transforms.${key}" => { hop = "transforms.${key}", at = "", schema = "transform", value = value } if can(keys(value)) },
    { for key, value in var.routes : "routes.${key}" => { hop = "routes.${key}", at = "", schema = "route", value = value } if can(keys(value)) },
  )
  objects_1 = merge([for id, object in local.objects_0 : {
    for attribute, rule in local.schemas[object.schema].attributes : "${id}.${attribute}" => {
      hop = object.hop, at = "${object.at}${attribute}.", schema = rule.definition, value = lookup(object.value, attribute, null), within = id, attribute = attribute
    } if can(rule.properties) && can(keys(lookup(object.value, attribute, null)))
  }]...)
  objects_2 = merge([for id, object in local.objects_1 : {
    for attribute, rule in local.schemas[object.schema].attributes : "${id}.${attribute}" => {
      hop = object.hop, at = "${object.at}${attribute}.", schema = rule.definition, value = lookup(object.value, attribute, null), within = id, attribute = attribute
    } if can(rule.properties) && can(keys(lookup(object.value, attribute, null)))
  }]...)
  objects_3 = merge([for id, object in local.objects_2 : {
    for attribute, rule in local.schemas[object.schema].attributes : "${id}.${attribute}" => {
      hop = object.hop, at = "${object.at}${attribute}.", schema = rule.definition, value = lookup(object.value, attribute, null), within = id, attribute = attribute
    } if can(rule.properties) && can(keys(lookup(object.value, attribute, null)))
  }]...)
  objects_4 = merge([for id, object in local.objects_3 : {
    for attribute, rule in local.schemas[object.schema].attributes : "${id}.${attribute}" => {
      hop = object.hop, at = "${object.at}${attribute}.", schema = rule.definition, value = lookup(object.value, attribute, null), within = id, attribute = attribute
    } if can(rule.properties) && can(keys(lookup(object.value, attribute, null)))
  }]...)
  objects = merge(local.objects_0, local.objects_1, local.objects_2, local.objects_3, local.objects_4)

  written_hops = keys(local.objects_0)

  # Every attribute that a type has by itself, given or not. `given` is about the key: a value may be unknown still.
  attributes = flatten([for object in local.objects : [
    for attribute, rule in local.schemas[object.schema].attributes : {
      hop      = object.hop
      path     = "${object.at}${attribute}"
      rule     = rule
      given    = contains(keys(object.value), attribute)
      value    = lookup(object.value, attribute, null)
      kind     = can(rule.properties) ? "object" : rule.type == "object" ? "map" : contains(["integer", "number"], rule.type) ? "number" : rule.type
      required = contains(local.schemas[object.schema].required, attribute)
    }
  ]])
}

locals {
  given = { for kind in ["object", "map", "array", "number", "boolean", "string"] : kind => [
    for attribute in local.attributes : attribute if attribute.kind == kind && attribute.given
  ] }
  words  = [for attribute in local.given.string : attribute if can(attribute.rule.enum)]
  texts  = [for attribute in local.given.string : attribute if !can(attribute.rule.enum)]
  arrays = [for attribute in local.given.array : attribute if !can(keys(attribute.value)) && can([for each in attribute.value : "each"])]
  maps   = [for attribute in local.given.map : attribute if can(keys(attribute.value))]

  numbers = [for attribute in local.given.number : merge(attribute, {
    least = try(attribute.rule.minimum, null)
    above = try(attribute.rule.exclusiveMinimum, null)
    most  = try(attribute.rule.maximum, null)
    whole = attribute.rule.type == "integer"
    noun  = attribute.rule.type == "integer" ? "a whole number" : "a number"
  })]

  # Plain from keys, numbers and words out of a list: known when planned, whatever else is not.
  schema_problems = concat(
    [for key, value in var.transforms : { hop = "transforms.${key}", text = "must be an object" } if !can(keys(value))],
    [for key, value in var.routes : { hop = "routes.${key}", text = "must be an object" } if !can(keys(value))],
    flatten([for object in local.objects : [
      for attribute in setsubtract(keys(object.value), keys(local.schemas[object.schema].attributes)) : {
        hop  = object.hop
        text = "${object.at}${attribute} is unknown; ${object.at == "" ? "a ${object.schema}" : trimsuffix(object.at, ".")} has ${join(", ", keys(local.schemas[object.schema].attributes))}"
      }
    ]]),
    [for attribute in local.attributes : { hop = attribute.hop, text = "${attribute.path} is missing" } if attribute.required && !attribute.given],
    [for attribute in concat(local.given.object, local.given.map) : { hop = attribute.hop, text = "${attribute.path} must be an object" }
    if can(keys(attribute.value)) ? false : attribute.value != null],
    [for attribute in local.given.array : { hop = attribute.hop, text = "${attribute.path} must be a list" }
    if !can(keys(attribute.value)) && can([for each in attribute.value : "each"]) ? false : attribute.value != null],
    [for attribute in local.arrays : { hop = attribute.hop, text = "${attribute.path} must have ${try("${attribute.rule.minItems} or more", "any number of")} entries${try(", up to ${attribute.rule.maxItems}", "")}" }
    if length(attribute.value) < try(attribute.rule.minItems, 0) || length(attribute.value) > try(attribute.rule.maxItems, length(attribute.value))],
    [for attribute in local.maps : { hop = attribute.hop, text = "${attribute.path} must have ${try(attribute.rule.maxProperties, "any number of")} entries or fewer" }
    if length(keys(attribute.value)) > try(attribute.rule.maxProperties, length(keys(attribute.value)))],
    [for attribute in local.given.boolean : { hop = attribute.hop, text = "${attribute.path} must be true or false" } if !can(tobool(attribute.value))],
    [for attribute in local.words : { hop = attribute.hop, text = "${attribute.path} must be ${join(" or ", [for word in attribute.rule.enum : "\"${word}\""])}" }
    if attribute.value == null ? attribute.required : !try(contains(attribute.rule.enum, attribute.value), false)],
    [for number in local.numbers : {
      hop = number.hop
      text = "${number.path} must be ${number.noun} ${
        number.above != null ? "above ${number.above}, up to ${number.most}" : number.most != null ? "from ${number.least} to ${number.most}" : "of ${number.least} or more"
      }"
      } if number.value == null ? false : !try(
      (!number.whole || floor(number.value) == number.value)
      && number.value >= (number.least == null ? number.value : number.least)
      && number.value <= (number.most == null ? number.value : number.most)
      && number.value > (number.above == null ? number.value - 1 : number.above),
    false)],
  )

  # Plain from texts, which may be unknown when planned: ARNs and URLs of what the same plan makes. By hop, because one that is unknown
  # leaves a whole list undecided.
  #
  # Every hop has a list, so that one is taken by its index: a function such as `lookup` looks at all that it is given, for each hop again.
  no_attributes = { for hop in local.written_hops : hop => [] }

  texts_of  = merge(local.no_attributes, { for attribute in local.texts : attribute.hop => attribute... })
  arrays_of = merge(local.no_attributes, { for attribute in local.arrays : attribute.hop => attribute... })
  maps_of   = merge(local.no_attributes, { for attribute in local.maps : attribute.hop => attribute... })
  others_of = merge(local.no_attributes, { for attribute in concat(local.given.array, local.given.map, local.given.number, local.given.boolean) : attribute.hop => attribute... if attribute.required })

  schema_text_problems = { for hop in local.written_hops : hop => concat(
    [for attribute in local.others_of[hop] : "${attribute.path} is missing" if attribute.value == null],
    [for attribute in local.texts_of[hop] : "${attribute.path} is missing" if attribute.required ? attribute.value == null : false],
    [for attribute in local.texts_of[hop] : "${attribute.path} must be ${can(attribute.rule.pattern) ? attribute.rule.description : "text of ${
      try(attribute.rule.minLength, 0)} or more characters${try(", up to ${attribute.rule.maxLength}", "")}"}"
      if attribute.value == null ? false : !try(
        can(regex(try(attribute.rule.pattern, ""), attribute.value))
        && length(attribute.value) >= try(attribute.rule.minLength, 0)
        && length(attribute.value) <= try(attribute.rule.maxLength, length(attribute.value)),
    false)],
    flatten([for attribute in local.arrays_of[hop] : [
      for index, item in attribute.value : "${attribute.path}[${index}] must be ${try(local.definitions[trimprefix(attribute.rule.items["$ref"], "#/$defs/")].description, "text")}"
      if !can(regex(try(local.definitions[trimprefix(attribute.rule.items["$ref"], "#/$defs/")].pattern, ""), item))
    ]]),
    flatten([for attribute in local.maps_of[hop] : [
      for key, item in attribute.value : "${attribute.path}.${key} must be ${try(attribute.rule.additionalProperties.description, "text")}"
      if !try(can(regex(try(attribute.rule.additionalProperties.pattern, ""), item)) && length(item) <= try(attribute.rule.additionalProperties.maxLength, length(item)), false)
    ]]),
  ) }

  # The same without what a type would refuse: the types then refuse nothing, and the lists above have all of it.
  clean_attributes = { for id, object in local.objects : id => merge(
    { for attribute, rule in local.schemas[object.schema].attributes : attribute => [
      for each in object.value[attribute] : try(tostring(each), null)
    ] if rule.type == "array" && can([for each in lookup(object.value, attribute, null) : "each"]) && !can(keys(lookup(object.value, attribute, null))) },
    { for attribute, rule in local.schemas[object.schema].attributes : attribute => {
      for name, each in object.value[attribute] : name => try(tostring(each), null)
    } if rule.type == "object" && !can(rule.properties) && can(keys(lookup(object.value, attribute, null))) },
    { for attribute, rule in local.schemas[object.schema].attributes : attribute =>
      try(tobool(object.value[attribute]), null)
    if rule.type == "boolean" && contains(keys(object.value), attribute) },
    { for attribute, rule in local.schemas[object.schema].attributes : attribute =>
      try(tonumber(object.value[attribute]), null)
    if contains(["integer", "number"], rule.type) && contains(keys(object.value), attribute) },
    { for attribute, rule in local.schemas[object.schema].attributes : attribute =>
      try(tostring(object.value[attribute]), null)
    if rule.type == "string" && contains(keys(object.value), attribute) },
  ) }

  # The objects within each object.
  within = merge(
    { for id in keys(local.objects) : id => [] },
    { for id, object in merge(local.objects_1, local.objects_2, local.objects_3, local.objects_4) : object.within => { attribute = object.attribute, id = id }... },
  )

  clean_4 = local.clean_attributes
  clean_3 = { for id in keys(local.objects_3) : id => merge(local.clean_attributes[id], { for each in local.within[id] : each.attribute => local.clean_4[each.id] }) }
  clean_2 = { for id in keys(local.objects_2) : id => merge(local.clean_attributes[id], { for each in local.within[id] : each.attribute => local.clean_3[each.id] }) }
  clean_1 = { for id in keys(local.objects_1) : id => merge(local.clean_attributes[id], { for each in local.within[id] : each.attribute => local.clean_2[each.id] }) }
  clean_0 = { for id in keys(local.objects_0) : id => merge(local.clean_attributes[id], { for each in local.within[id] : each.attribute => local.clean_1[each.id] }) }
}

module "types" {
  source = "./types"

  transforms = { for key in keys(var.transforms) : key => local.clean_0["transforms.${key}"] if contains(local.written_hops, "transforms.${key}") }
  routes     = { for key in keys(var.routes) : key => local.clean_0["routes.${key}"] if contains(local.written_hops, "routes.${key}") }
}
