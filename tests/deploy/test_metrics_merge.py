"""One page of metrics from several replicas."""

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from gan_serve.deploy.metrics_merge import join_pages

COUNTS = st.dictionaries(st.text("abc", min_size=1), st.integers(0, 2**40), min_size=1, max_size=4)


@settings(max_examples=30)
@given(COUNTS)
def test_every_sample_keeps_its_value_and_gets_its_replica(counts: dict[str, int]) -> None:
    page = '# HELP requests Requests.\n# TYPE requests counter\nrequests_total{{model="digits"}} {}\n'
    merged = join_pages({name: page.format(count) for name, count in counts.items()}).decode()
    assert merged.count("# TYPE requests_total counter") == 1
    samples = [each for family in text_string_to_metric_families(merged) for each in family.samples]
    assert {each.labels["replica"]: each.value for each in samples} == counts
    assert {each.labels["model"] for each in samples} == {"digits"}
