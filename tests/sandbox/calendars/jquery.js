// jQuery where its plugins look for it: imported before them.
import $ from "jquery";

window.jQuery = window.$ = $;
export default $;
