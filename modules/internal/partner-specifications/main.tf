# The limits are generated from the code that reads specifications: scripts/specification_limits.py.

locals {
  limits = jsondecode(file("${path.module}/../limits/specification.json"))

  documents = { for partner, text in var.specifications : partner => jsondecode(text) if text == null ? false : can(keys(jsondecode(text))) }

  problems = flatten([for partner, document in local.documents : concat(
    [for key in keys(document) : "${partner}: ${key} is unknown; a specification has ${join(", ", local.limits.keys)}" if !contains(local.limits.keys, key)],
    [for preset in [for key, value in document : value if key == "preset"] :
      "${partner}: there is no preset ${jsonencode(preset)}; there are ${join(", ", local.limits.presets)}" if !try(contains(local.limits.presets, preset), false)
    ],
  )])
}
