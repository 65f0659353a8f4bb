"""The demo: a Gradio page at / of the server, generated from the models' metadata alone.

The page:

    page              the whole page: tabs, and what each visitor sees
    gallery           all models, as cards
    model_card        facts and scores of one model
    draw_panel        models that draw: controls, images, downloads
    translate_panel   models that take images
    compare_panel     one seed through several models
    modes             what the draw panel can show: images, a walk, one input varied, a mixture

Its parts:

    controls          a component for each kind of input
    canvas            the component for images and masks: drop, paste, choose, draw
    components        other components that panels share, and how their events run
    rendering         outputs as HTML
    snippets          commands and code that reproduce an image
    permalink         the page's address

The server:

    client            runs requests through the server's scheduler
    errors            error messages for the page and for `gradio_client`
    api               the endpoints for `gradio_client`
    mount             adds the demo to the server's routes

It needs the extra `demo`. Only the server imports it, and only if the demo is enabled.
"""
