"""TS1xx: does the package come from the index that was meant, for everyone who installs it?"""

from __future__ import annotations

from gatepost.rules.torch_source.routing import configuration, declared, openness, options, sources, variants

RULES = (
    declared.undeclared_index,
    declared.unrouted_index,
    declared.unrouted_companion,
    declared.dead_route,
    openness.index_not_explicit,
    openness.unsafe_strategy,
    variants.group_sources,
    variants.variants_not_exclusive,
    sources.sources_overlap,
    sources.scope_missing,
    variants.identical_variants,
    variants.base_bypasses_variant,
    sources.lost_on_publish,
    configuration.unread,
    options.extra_index,
    options.stable_page,
    sources.one_platform_url,
    options.starved,
)
