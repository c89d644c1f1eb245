# Networks that only a function in a VPC reaches, of hops that have none.

locals {
  # Those of 127.0.0.0/8 are the local cloud's. All others need a VPC:
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  private_networks = merge(
    { for key, route in local.routes : "routes.${key}" => flatten([for http in route.target.http[*] : http.allowed_private_cidrs]) if route.vpc == null },
    { for key, transform in local.transforms : "transforms.${key}" => flatten([for step in local.steps[key] : try([for cidr in step.lookup.http.allowed_private_cidrs : cidr], [])]) if transform.vpc == null },
  )
  out_of_reach = { for id, networks in local.private_networks : id => [
    for cidr in networks : cidr if var.vpc == null && cidr != null && !startswith(coalesce(cidr, "127."), "127.") && cidr != "::1/128"
  ] }
  no_vpc = "%s leads into a private network, which no function outside a VPC reaches: set vpc, or settings.vpc. 127.0.0.0/8 and ::1/128 alone are for a local cloud"
}
