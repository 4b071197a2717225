//! What every store must do, as tests over `Arc<dyn Store>` that know nothing of what is behind it.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes a `#[tokio::test]` of each, for a function that opens an empty
//! store. Being tests, they panic where a store does not conform.

pub mod access;
pub mod claims;
pub mod databases;
pub mod deliveries;
pub mod executions;
pub mod filters;
pub mod fixtures;
pub mod group;
pub mod journal;
pub mod outputs;
pub mod rebuild;
pub mod requests;
pub mod secrets;
pub mod workers;
pub mod workflows;

/// Makes a module of tests for each part of the suite. Takes the absolute path of an `async fn` that answers an empty
/// `Arc<dyn Store>` and something to keep until the test is over, like a temporary directory.
#[macro_export]
macro_rules! conformance_tests {
    ($open:path) => {
        $crate::conformance_tests! { @modules $open;
            journal: reads_back_what_was_appended keeps_every_character replaces_nul keeps_the_start_of_long_names keeps_large_entries keeps_milliseconds
                refuses_gaps refuses_a_summary_of_something_else keeps_the_latest_summary
                replaces_a_summary_alone refuses_an_old_fence;
            group: one_of_many_writers_wins takes_many_appends_of_one_execution_at_once
                a_conflict_fails_nobody_else takes_more_rows_than_one_statement dropped_calls_are_whole
                refuses_writes_once_closed;
            rebuild: lists_what_finished_before pages_journals writes_a_summary_anew
                writes_no_summary_of_another_journal;
            requests: a_key_counts_once another_request_under_a_key_is_told_apart keys_hold_in_their_scope
                many_at_once_start_one a_refused_append_uses_no_key;
            secrets: keeps_them_until_the_end takes_none_of_a_refused_append deletes_only_those_of_the_ended
                a_group_may_begin_and_end keeps_settings keeps_the_first_setting;
            deliveries: are_written_with_their_entries are_not_written_with_a_refused_append
                come_by_their_time_and_not_from_busy_hosts are_moved_by_one_only go_with_their_execution keep_what_any_answer_holds;
            executions: finds_by_id pages_newest_first pages_stay_put_while_more_come finds_by_prefix
                lists_the_unfinished lists_what_is_due deletes_with_everything deletes_a_long_one
                refuses_to_delete_what_goes_on;
            claims: one_of_many_claims_wins batches_are_shared_out an_old_owner_is_refused
                a_renewed_lease_is_not_claimable a_lease_that_ended_is_claimable released_ones_are_free
                claims_only_what_goes_on appends_leave_the_lease_alone times_come_from_one_clock;
            filters: by_status by_workflow by_who_started_it by_text by_text_among_many
                by_text_after_deletions by_time by_all_at_once;
            outputs: keeps_pieces_in_order keeps_a_piece_once numbers_pieces_without_gaps
                a_reader_misses_nothing takes_pieces_in_any_order filters_pieces pages_pieces
                refuses_output_of_nothing keeps_large_pieces;
            workflows: every_save_is_a_version refuses_a_change_of_an_old_version names_are_unique
                a_deleted_name_is_free a_deleted_workflow_comes_back lists_by_name finds_by_text
                long_names_are_refused;
            workers: saves_and_replaces greets names_are_unique lists_by_name touches_forward_only forgets;
            access: keeps_tokens keeps_sessions deletes_expired_sessions;
        }
    };
    (@modules $open:path; $($module:ident: $($test:ident)*;)*) => {
        $(mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let (store, _keep) = $open().await;
                    $crate::conformance::$module::$test(store).await;
                }
            )*
        })*
    };
}
