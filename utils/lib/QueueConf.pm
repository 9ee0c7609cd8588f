package QueueConf;

# The configuration of queue.pl, slurm.pl and pbs.pl, which turns options like
# --mem 4G into those of a submit command. Grammar, one entry per line:
#
#   command SUBMIT-COMMAND        needed once
#   option NAME=* TEXT            for --NAME X: TEXT with $0 replaced by X
#   option NAME=VALUE TEXT        for --NAME VALUE; goes before NAME=*
#   default NAME=VALUE            as if --NAME VALUE was given, when --NAME was not
#
# "#" starts a comment. TEXT may be empty. The order of the lines does not matter.

use strict;
use warnings;
use CmdLine qw(complain fail);
use Exporter 'import';

our @EXPORT_OK = qw(find_conf read_conf submit_options);

# The file that --config names, else conf/NAME here, else the one of this repository.
sub find_conf {
    my ($name, $given, $own_directory) = @_;
    if (defined $given) {
        fail("no such config file: $given (given by --config)") if !-f $given;
        return $given;
    }
    return -f "conf/$name" ? "conf/$name" : "$own_directory/$name";
}

# Returns {path, command, any => {name => text}, exact => {name => {value => text}},
# default => {name => value}}.
sub read_conf {
    my ($path) = @_;
    my %conf = (path => $path, any => {}, exact => {}, default => {});
    open(my $file, '<', $path) or fail("cannot read $path: $!");
    while (my $line = <$file>) {
        $line =~ s/\s*(#.*)?\n?\z//;
        next if $line eq '';
        if ($line =~ /^command\s+(.+)/) {
            $conf{command} = $1;
        }
        elsif ($line =~ /^option\s+([^=\s]+)=\*(?:\s+(.*))?$/) {
            $conf{any}{$1} = $2 // '';
        }
        elsif ($line =~ /^option\s+([^=\s]+)=(\S+)(?:\s+(.*))?$/) {
            $conf{exact}{$1}{$2} = $3 // '';
        }
        elsif ($line =~ /^default\s+([^=\s]+)=(\S+)$/) {
            $conf{default}{$1} = $2;
        }
        else {
            fail("unable to parse line $. of $path: '$line'; expected 'command ...',"
                  . " 'option name=value ...' or 'default name=value'");
        }
    }
    close($file);
    fail("expected a line 'command ...' in $path, found none")
        if !defined $conf{command};
    return \%conf;
}

# The options of the submit command, for the given {name => value}. $unknown is called
# with an error text for an option that the file does not describe.
sub submit_options {
    my ($conf, $options, $unknown) = @_;
    my %value = (%{ $conf->{default} }, %$options);
    my @texts;
    for my $name (sort keys %value) {
        my $text = $conf->{exact}{$name}{ $value{$name} } // $conf->{any}{$name};
        if (!defined $text) {
            $unknown->("Command line option $name not described in $conf->{path}"
                  . " (or value '$value{$name}' not allowed)");
            next;
        }
        $text =~ s/\$0/$value{$name}/g;
        push @texts, $text if $text ne '';
    }
    return join(' ', @texts);
}

1;
