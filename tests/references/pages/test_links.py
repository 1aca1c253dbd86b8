from references.pages.links import PageLinks, Pager

LINKS = PageLinks("/models/x", {"q": ("a b",), "tag": ("one", "two&"), "page": ("3",)})


def test_a_changed_parameter_leads_back_to_page_one():
    assert LINKS.replaced(sort="-size") == "/models/x?q=a+b&tag=one&tag=two%26&sort=-size"


def test_a_parameter_set_to_none_goes():
    assert LINKS.replaced(q=None) == "/models/x?tag=one&tag=two%26"


def test_a_value_is_toggled_among_others():
    assert LINKS.toggled("tag", "one") == "/models/x?q=a+b&tag=two%26"
    assert LINKS.toggled("tag", "new") == "/models/x?q=a+b&tag=one&tag=two%26&tag=new"


def test_page_one_needs_no_parameter():
    assert LINKS.page(1) == "/models/x?q=a+b&tag=one&tag=two%26"
    assert LINKS.page(4).endswith("&page=4")


def test_nothing_left_is_the_bare_path():
    assert LINKS.cleared() == "/models/x"
    assert LINKS.cleared(kept=("q",)) == "/models/x?q=a+b"


def test_a_form_carries_along_what_it_has_no_field_for():
    assert LINKS.hidden("q") == [("tag", "one"), ("tag", "two&")]


def test_a_page_beyond_the_end_is_the_last_one():
    pager = Pager.at(LINKS, 99, page_size=50, total=120)
    assert (pager.page, pager.pages, pager.first, pager.last, pager.next) == (3, 3, 101, 120, None)


def test_an_empty_list_has_one_page_without_rows():
    pager = Pager.at(LINKS, 2, page_size=50, total=0)
    assert (pager.page, pager.pages, pager.first, pager.last) == (1, 1, 0, 0)


def test_steps_leave_out_what_is_far_from_the_page():
    pager = Pager.at(LINKS, 6, page_size=10, total=120)
    assert [number for number, _ in pager.steps] == [1, None, 5, 6, 7, None, 12]
    assert [number for number, _ in Pager.at(LINKS, 2, page_size=10, total=30).steps] == [1, 2, 3]
