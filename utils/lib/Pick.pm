package Pick;

# --pick: which tasks run again, judged by the logs of the last run.

use strict;
use warnings;
use CmdLine qw(fail);
use Exporter 'import';
use JobLog qw(last_status);

our @EXPORT_OK = qw(leave_out left_by take_pick);

# Takes the option out of CmdLine's result: all, failed, incomplete or none.
sub take_pick {
    my ($line) = @_;
    my $pick = delete $line->{options}{pick} // 'all';
    fail("expected --pick all, none, failed or incomplete, got '$pick'")
        if $pick !~ /^(?:all|none|failed|incomplete)$/;
    return $pick;
}

# What the last run left of a task: '' if it shall run again, else complete or failed.
sub left_by {
    my ($pick, $log) = @_;
    my $before = $pick eq 'all' ? 'incomplete' : last_status($log);
    return $before eq 'incomplete' || $before eq $pick ? '' : $before;
}

# Tasks that --pick does not run again are over. The job has the range from the first to
# the last of the others; its script ends at once where one between them is over.
sub leave_out {
    my ($line, $pick, @tasks) = @_;
    for my $task (@tasks) {
        my $before = left_by($pick, $task->{log});
        $task->{over} = 1 if $before ne '';
        $task->{why} = 'failed before' if $before eq 'failed';
    }
    my @open = map { $_->{id} } grep { !$_->{over} } @tasks;
    $line->{job} = { %{ $line->{job} }, start => $open[0], end => $open[-1] }
        if @open && $line->{job};
    return;
}

1;
